"""Defaults of admission policies and their bindings."""

from sandbox.kubernetes.kinds import Object


def _policy(spec: Object) -> Object:
    filled = {"failurePolicy": "Fail", **spec}
    if "matchConstraints" in filled:
        filled["matchConstraints"] = _matching(filled["matchConstraints"] or {})
    return filled


def _binding(spec: Object) -> Object:
    filled = dict(spec)
    if "matchResources" in filled:
        filled["matchResources"] = _matching(filled["matchResources"] or {})
    return filled


def _matching(given: Object) -> Object:
    plain: Object = {"matchPolicy": "Equivalent", "namespaceSelector": {}, "objectSelector": {}}
    filled = {**plain, **given}
    for name in ("resourceRules", "excludeResourceRules"):
        if name in filled:
            filled[name] = [{"scope": "*", **rule} for rule in filled[name] or []]
    return filled


BY_KIND = {
    "ValidatingAdmissionPolicy": _policy,
    "ValidatingAdmissionPolicyBinding": _binding,
}
