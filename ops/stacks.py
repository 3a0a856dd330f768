"""CloudFormation: make a stack be as a template says, and tell how it goes."""

import time
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from ops import templates
from ops.deploying.step import Say, StepFailed

if TYPE_CHECKING:
    import boto3

GLANCE = 3
"""Seconds between two looks at a stack that is being made."""

_NOTHING = "No updates are to be performed"
_MADE = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE"})
_GONE = frozenset({"DELETE_COMPLETE"})
_NEVER_WAS = frozenset(
    {"CREATE_FAILED", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "REVIEW_IN_PROGRESS", "DELETE_FAILED"}
)
"""States of a stack that was never made, or is half removed: it can only be removed."""

_TODO: Mapping[str, str] = {
    "UPDATE_ROLLBACK_FAILED": (
        "its events say what holds it: put that right, then "
        "`aws cloudformation continue-update-rollback --stack-name {name}`, and the same command "
        "again (what cannot be put right is left out by --resources-to-skip)"
    ),
    "DELETE_FAILED": (
        "put that right and run the same command again; what is to stay can be left by "
        "`aws cloudformation delete-stack --stack-name {name} --retain-resources …`"
    ),
}
"""What to do about a stack that ended as this."""

_AGAIN = "put that right and run the same command again; what was made is found made"


def _unfinished(stack: Mapping[str, Any] | None) -> bool:
    """Whether CloudFormation is at work; a change set that waits for a word is not work."""
    status = str((stack or {}).get("StackStatus", ""))
    return status.endswith("_IN_PROGRESS") and not status.startswith("REVIEW")


class Stacks:
    """The stacks of one account and region."""

    def __init__(self, session: "boto3.Session", glance: float = GLANCE) -> None:
        self._session = session
        self._glance = glance

    @cached_property
    def _cfn(self) -> Any:  # noqa: ANN401 - boto3's, untyped here
        return self._session.client("cloudformation")

    def find(self, name: str) -> Mapping[str, Any] | None:
        """A stack, if it is there."""
        try:
            found: list[Mapping[str, Any]] = self._cfn.describe_stacks(StackName=name)["Stacks"]
        except ClientError as e:
            if "does not exist" in str(e):
                return None
            raise
        return found[0] if found else None

    def stands(self, name: str) -> bool:
        """Whether it was made once, so that it can be updated."""
        stack = self.find(name)
        return stack is not None and stack["StackStatus"] not in _NEVER_WAS

    def outputs(self, name: str) -> Mapping[str, str]:
        """What a stack tells; nothing when it is not there."""
        stack = self.find(name) or {}
        return {o["OutputKey"]: o["OutputValue"] for o in stack.get("Outputs", [])}

    def difference(self, name: str, body: str, parameters: Mapping[str, str]) -> str:
        """What `deploy` would change, by the templates' own words."""
        wanted = templates.parsed(body)["Resources"]
        stack = self.find(name)
        if stack is None or not self.stands(name):
            return f"create stack {name} with {len(wanted)} resources: {', '.join(wanted)}"
        there = self._cfn.get_template(StackName=name)["TemplateBody"]
        old = (templates.parsed(there) if isinstance(there, str) else there)["Resources"]
        known = {p["ParameterKey"]: p.get("ParameterValue") for p in stack.get("Parameters", [])}
        parts = {
            "add": [n for n in wanted if n not in old],
            "change": [n for n in wanted if n in old and wanted[n] != old[n]],
            "remove": [n for n in old if n not in wanted],
            "set": [n for n, value in parameters.items() if known.get(n) != value],
        }
        said = "; ".join(f"{word} {', '.join(names)}" for word, names in parts.items() if names)
        return f"update stack {name}: {said}" if said else f"nothing: stack {name} is as it should"

    def deploy(self, name: str, body: str, parameters: Mapping[str, str], say: Say) -> str:
        """Make or update a stack, and wait for it; what was done.

        Raises:
            StepFailed: with the first resource that failed, and its reason.
        """
        arguments: dict[str, Any] = {
            "StackName": name,
            "TemplateBody": body,
            "Parameters": [{"ParameterKey": k, "ParameterValue": v} for k, v in parameters.items()],
            "Capabilities": ["CAPABILITY_IAM"],
        }
        stack = self._settled(name, say)
        if stack and stack["StackStatus"] in _NEVER_WAS:
            say(f"stack {name} was never finished: it is removed first")
            self.delete(name, say)
            stack = None
        seen = self._events(name) if stack else set()
        try:
            if stack:
                self._cfn.update_stack(**arguments)
            else:
                self._cfn.create_stack(**arguments)
        except ClientError as e:
            if _NOTHING in str(e):
                return f"stack {name} is as it should be"
            raise StepFailed(f"stack {name}: {e}", "put the template or your rights right") from e
        self._wait(name, seen, say, _MADE)
        return f"stack {name} is {'updated' if stack else 'made'}"

    def delete(self, name: str, say: Say) -> None:
        """Remove a stack, and wait until it is gone."""
        if self._settled(name, say) is None:
            return
        seen = self._events(name)
        self._cfn.delete_stack(StackName=name)
        self._wait(name, seen, say, _GONE)

    def _settled(self, name: str, say: Say) -> Mapping[str, Any] | None:
        """The stack, once CloudFormation has ended what it was told before.

        Raises:
            StepFailed: it stands still, and only a person can help it on.
        """
        stack, said = self.find(name), ""
        while stack and _unfinished(stack):
            if stack["StackStatus"] != said:
                said = stack["StackStatus"]
                say(f"stack {name} is {said}, from an earlier command: waiting for its end")
            time.sleep(self._glance)  # a stack can only be asked again
            stack = self.find(name)
        if stack and stack["StackStatus"] == "UPDATE_ROLLBACK_FAILED":
            raise StepFailed(
                f"stack {name} is UPDATE_ROLLBACK_FAILED: an update failed, and its undoing, too",
                _TODO["UPDATE_ROLLBACK_FAILED"].format(name=name),
            )
        return stack

    def _wait(self, name: str, seen: set[str], say: Say, good: frozenset[str]) -> None:
        reason = ""
        while True:
            stack = self.find(name)
            for event in self._new_events(name, seen) if stack else ():
                status = event.get("ResourceStatus", "")
                say(f"{event.get('LogicalResourceId')}: {status.lower().replace('_', ' ')}")
                if status.endswith("_FAILED") and not reason:
                    why = event.get("ResourceStatusReason", "no reason given")
                    reason = f"{event.get('LogicalResourceId')}: {why}"
            status = stack["StackStatus"] if stack else "DELETE_COMPLETE"
            if not _unfinished(stack):
                break
            # As CloudFormation's own waiters, which tell nothing meanwhile.
            time.sleep(self._glance)  # a stack can only be asked again
        if status not in good:
            raise StepFailed(
                f"stack {name} ended as {status}: {reason or 'see its events in the console'}",
                _TODO.get(status, _AGAIN).format(name=name),
            )

    def _new_events(self, name: str, seen: set[str]) -> list[Mapping[str, Any]]:
        found = self._cfn.describe_stack_events(StackName=name)["StackEvents"]
        new = [e for e in reversed(found) if e["EventId"] not in seen]
        seen.update(e["EventId"] for e in new)
        return new

    def _events(self, name: str) -> set[str]:
        found = self._cfn.describe_stack_events(StackName=name)["StackEvents"]
        return {e["EventId"] for e in found}
