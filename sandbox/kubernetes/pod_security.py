"""Pod Security admission: the checks of `baseline` and `restricted`, in their order and words."""

from collections.abc import Callable, Iterator

from sandbox.kubernetes.kinds import Object

Check = Callable[[Object], str]

_BASELINE_CAPABILITIES = {
    "AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD",
    "NET_BIND_SERVICE", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT",
}  # fmt: skip
_RESTRICTED_VOLUMES = {
    "configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "image",
    "persistentVolumeClaim", "projected", "secret",
}  # fmt: skip
_PROFILES = ("RuntimeDefault", "Localhost")


def violations(level: str, spec: Object) -> str:
    """What a pod's spec violates, as the refusal lists it; empty if nothing."""
    checks = {"baseline": _BASELINE, "restricted": _BASELINE + _RESTRICTED}.get(level, ())
    return ", ".join(found for check in checks if (found := check(spec)))


def _containers(spec: Object) -> Iterator[Object]:
    for name in ("initContainers", "containers", "ephemeralContainers"):
        yield from spec.get(name) or []


def _context(part: Object) -> Object:
    return part.get("securityContext") or {}


def _named(word: str, names: list[str]) -> str:
    return f"{word}{'s' if len(names) > 1 else ''} " + ", ".join(f'"{name}"' for name in names)


def _those(spec: Object, test: Callable[[Object], bool]) -> list[str]:
    return [container["name"] for container in _containers(spec) if test(container)]


def _added_capabilities(spec: Object) -> str:
    def extra(container: Object) -> list[str]:
        added = (_context(container).get("capabilities") or {}).get("add") or []
        return [each for each in added if each not in _BASELINE_CAPABILITIES]

    names = _those(spec, lambda container: bool(extra(container)))
    found = sorted({each for container in _containers(spec) for each in extra(container)})
    listed = ", ".join(f'"{each}"' for each in found)
    what = f"{_named('container', names)} must not include {listed}"
    return f"non-default capabilities ({what} in securityContext.capabilities.add)" if names else ""


def _host_namespaces(spec: Object) -> str:
    found = [name for name in ("hostNetwork", "hostPID", "hostIPC") if spec.get(name)]
    return f"host namespaces ({', '.join(f'{name}=true' for name in found)})" if found else ""


def _host_paths(spec: Object) -> str:
    names = [volume["name"] for volume in spec.get("volumes") or [] if "hostPath" in volume]
    return f"hostPath volumes ({_named('volume', names)})" if names else ""


def _host_ports(spec: Object) -> str:
    names = _those(spec, lambda c: any(port.get("hostPort") for port in c.get("ports") or []))
    ports = sorted(
        {
            p["hostPort"]
            for c in _containers(spec)
            for p in c.get("ports") or []
            if p.get("hostPort")
        }
    )
    listed = ", ".join(str(port) for port in ports)
    word = "hostPorts" if len(ports) > 1 else "hostPort"
    return f"hostPort ({_named('container', names)} uses {word} {listed})" if names else ""


def _privileged(spec: Object) -> str:
    names = _those(spec, lambda c: bool(_context(c).get("privileged")))
    what = f"{_named('container', names)} must not set securityContext.privileged=true"
    return f"privileged ({what})" if names else ""


def _escalation(spec: Object) -> str:
    names = _those(spec, lambda c: _context(c).get("allowPrivilegeEscalation") is not False)
    what = f"{_named('container', names)} must set securityContext.allowPrivilegeEscalation=false"
    return f"allowPrivilegeEscalation != false ({what})" if names else ""


def _capabilities(spec: Object) -> str:
    def keeps(container: Object) -> bool:
        dropped = (_context(container).get("capabilities") or {}).get("drop") or []
        return "ALL" not in dropped

    def adds(container: Object) -> bool:
        added = (_context(container).get("capabilities") or {}).get("add") or []
        return any(each != "NET_BIND_SERVICE" for each in added)

    keeping, adding = _those(spec, keeps), _those(spec, adds)
    drop = f'{_named("container", keeping)} must set securityContext.capabilities.drop=["ALL"]'
    add = f"{_named('container', adding)} must not include other than NET_BIND_SERVICE"
    what = "; ".join([drop] * bool(keeping) + [add] * bool(adding))
    return f"unrestricted capabilities ({what})" if what else ""


def _volumes(spec: Object) -> str:
    found = [
        (volume["name"], source)
        for volume in spec.get("volumes") or []
        for source in volume
        if source != "name" and source not in _RESTRICTED_VOLUMES
    ]
    names = [name for name, _ in found]
    listed = ", ".join(f'"{source}"' for source in sorted({source for _, source in found}))
    word = "types" if len({source for _, source in found}) > 1 else "type"
    what = f"{_named('volume', names)} uses restricted volume {word} {listed}"
    return f"restricted volume types ({what})" if found else ""


def _non_root(spec: Object) -> str:
    by_pod = _context(spec).get("runAsNonRoot") is True
    names = _those(spec, lambda c: not _context(c).get("runAsNonRoot", by_pod))
    what = f"pod or {_named('container', names)} must set securityContext.runAsNonRoot=true"
    return f"runAsNonRoot != true ({what})" if names else ""


def _root_user(spec: Object) -> str:
    names = _those(spec, lambda c: _context(c).get("runAsUser") == 0)
    whose = ["pod"] * (_context(spec).get("runAsUser") == 0)
    whose += [_named("container", names)] * bool(names)
    return f"runAsUser=0 ({' and '.join(whose)} must not set runAsUser=0)" if whose else ""


def _seccomp(spec: Object) -> str:
    by_pod = (_context(spec).get("seccompProfile") or {}).get("type")
    names = _those(
        spec,
        lambda c: (_context(c).get("seccompProfile") or {}).get("type", by_pod) not in _PROFILES,
    )
    what = f"pod or {_named('container', names)} must set securityContext.seccompProfile.type to "
    return f'seccompProfile ({what}"RuntimeDefault" or "Localhost")' if names else ""


_BASELINE: tuple[Check, ...] = (
    _added_capabilities,
    _host_namespaces,
    _host_paths,
    _host_ports,
    _privileged,
)
_RESTRICTED: tuple[Check, ...] = (
    _escalation,
    _capabilities,
    _volumes,
    _non_root,
    _root_user,
    _seccomp,
)
