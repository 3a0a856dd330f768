"""What Kubernetes takes for a name, a label, a key and a quantity."""

import re

_PART = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
DNS_LABEL = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
"""RFC 1035: of Services, and of whatever of ours becomes a part of another name."""

SUBDOMAIN = re.compile(rf"{_PART}(\.{_PART})*")
"""RFC 1123: of most objects."""

KEY_NAME = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?")
"""What stands behind the slash in a label's or an annotation's key."""

LABEL_VALUE = re.compile(rf"({KEY_NAME.pattern})?")
QUANTITY = re.compile(r"(0|[1-9]\d*)(\.\d+)?(m|k|Ki|M|Mi|G|Gi|T|Ti)?")

LONGEST_LABEL = 63
"""Characters: of a DNS label, a label's value, and a key's name."""

LONGEST_SUBDOMAIN = 253
"""Characters: of most objects' names, and of what stands before the slash in a key."""
