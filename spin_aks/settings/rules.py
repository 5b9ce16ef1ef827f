"""What Azure, Kubernetes, a registry or Spin lets a value be, each rule with the place that says so.

A rule refuses only what its source refuses, unless a comment there says why: where a document and the service's own
interface differ, the wider one holds, since a resource may be older than the document. Patterns match a whole text and
are written in what Python and ECMA-262 share, for a JSON schema to hold them; `RESOURCE_GROUP` alone means more in
Python, whose `\\w` knows all alphabets.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

LONGEST = 1024
"""No rule accepts more characters; a longer text is refused unread."""

_SHOWN = 80

_AZURE = "https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules"
_SPECIFICATIONS = "https://github.com/Azure/azure-rest-api-specs"
_KUBERNETES = "https://kubernetes.io/docs/concepts/overview/working-with-objects/names/"
_QUANTITIES = "https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/"
_OCI = "https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md#pulling-manifests"
_SPIN = "https://github.com/spinframework/spin/blob/v4.0.2/crates"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Rule:
    """One rule. All of a text matches `pattern`, which is compiled when it is first used; `form` says the same in
    words that go after "is not"; `source` is the address of who says so.
    """

    pattern: str
    form: str
    source: str

    def accepts(self, text: str) -> bool:
        return len(text) <= LONGEST and re.fullmatch(self.pattern, text) is not None

    def refuses(self, text: str) -> str:
        """Empty if the rule accepts `text`, else the sentence that says what it is not.

        The text is shown as `shown` has it.
        """
        return "" if self.accepts(text) else f"{shown(text)} is not {self.form}"


def shown(text: str) -> str:
    """`text` in backticks as a message can hold it: on one line, cut after 80 characters; no secret, whatever is no
    character to print escaped, and of what is very long only its length.
    """
    from spin_aks.settings import leaks

    if not text:
        return "an empty text"
    if len(text) > LONGEST:
        return f"a text of {len(text)} characters"
    if found := leaks.secret_in("", text):
        return f"what is given, which looks like {found} and is not shown here,"
    cut = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
    return "`" + "".join(each if each.isprintable() else ascii(each)[1:-1] for each in cut) + "`"


_GUID = "[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"
_LABEL = "[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?"
_ANY_CASE_LABEL = "[A-Za-z0-9](?:[-A-Za-z0-9]{0,61}[A-Za-z0-9])?"
_HYPHENATED = "[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*"
_HYPHENATED_FORM = "letters, digits and single `-` between them"

SUBSCRIPTION = Rule(
    _GUID,
    "a subscription's id, such as `00000000-0000-0000-0000-000000000000`: `az account list --output table` shows yours",
    f"{_SPECIFICATIONS}/blob/main/specification/common-types/resource-management/v5/types.json",
)
# No `$` in a lookahead decides anything alone: it also matches before a line feed at the end.
TENANT = Rule(
    rf"{_GUID}|(?=.{{1,253}}$)(?:{_ANY_CASE_LABEL}\.)+[A-Za-z](?:[-A-Za-z0-9]{{0,61}}[A-Za-z0-9])?",
    "a tenant's id, such as `00000000-0000-0000-0000-000000000000`, or a domain of its, such as "
    "`contoso.onmicrosoft.com`",
    "https://learn.microsoft.com/entra/fundamentals/how-to-find-tenant",
)
# Letters and digits of all alphabets, as System.Char.IsLetterOrDigit has them. Python's `\w` has fractions and
# superscripts besides, which are left for Azure to refuse.
RESOURCE_GROUP = Rule(
    r"[-\w.()]{0,89}[-\w()]",
    "a resource group's name: 1 to 90 letters, digits, `-`, `_`, `.`, `(` and `)`, no `.` at its end",
    f"{_AZURE}#microsoftresources",
)
LOCATION = Rule(
    "[a-z][a-z0-9]{1,62}",
    "a region's short name in lower case, such as `westeurope`: `az account list-locations --output table` shows all",
    "https://learn.microsoft.com/azure/reliability/regions-list",
)
CLUSTER = Rule(
    "[A-Za-z0-9](?:[-_A-Za-z0-9]{0,61}[A-Za-z0-9])?",
    "an AKS cluster's name: 1 to 63 letters, digits, `-` and `_`, a letter or digit first and last",
    f"{_AZURE}#microsoftcontainerservice",
)
# With a domain name label the login server is NAME-HASH.azurecr.io; the registry's own name still has no `-`.
REGISTRY_NAME = Rule(
    "[A-Za-z0-9]{5,50}",
    "a registry's name in Azure: 5 to 50 letters and digits, without `.azurecr.io` and without a `-HASH` before that",
    f"{_AZURE}#microsoftcontainerregistry",
)
VAULT = Rule(
    "(?=.{3,24}$)[A-Za-z](?:-?[A-Za-z0-9])+",
    f"a Key Vault's name: 3 to 24 {_HYPHENATED_FORM}, a letter first, without `https://` and `.vault.azure.net`",
    f"{_AZURE}#microsoftkeyvault",
)
VAULT_SECRET = Rule(
    "[-A-Za-z0-9]{1,127}(?:/[0-9A-Fa-f]{32})?",
    "the name of a secret in a Key Vault: 1 to 127 letters, digits and `-`, then, if one version is meant, `/` and its "
    "32 hexadecimal digits",
    "https://learn.microsoft.com/azure/key-vault/general/about-keys-secrets-certificates#object-identifiers",
)
IDENTITY = Rule(
    "[A-Za-z0-9][-_A-Za-z0-9]{2,127}",
    "a managed identity's name: 3 to 128 letters, digits, `-` and `_`, a letter or digit first",
    f"{_AZURE}#microsoftmanagedidentity",
)
REDIS = Rule(
    f"(?=.{{1,63}}$){_HYPHENATED}",
    f"the name of a Redis in Azure: 1 to 63 {_HYPHENATED_FORM}",
    f"{_AZURE}#microsoftcache",
)
MANAGED_REDIS = Rule(
    f"(?=.{{1,60}}$){_HYPHENATED}",
    f"an Azure Managed Redis' name: 1 to 60 {_HYPHENATED_FORM}",
    f"{_SPECIFICATIONS}/tree/main/specification/redisenterprise",
)
# The naming rules say 44, the interface takes 50.
COSMOS = Rule(
    "(?=.{3,50}$)[a-z0-9]+(?:-[a-z0-9]+)*",
    "a Cosmos DB account's name: 3 to 50 lower-case letters, digits and single `-` between them",
    f"{_SPECIFICATIONS}/tree/main/specification/cosmos-db (version 2024-05-15)",
)
# A Cosmos DB account's names are among those of a Redis.
STORE_ACCOUNT = Rule(
    REDIS.pattern,
    f"the name of a Redis (1 to 63 {_HYPHENATED_FORM}) or of a Cosmos DB account (3 to 50 of them in lower case)",
    f"{_AZURE}#microsoftcache, {_AZURE}#microsoftdocumentdb",
)
_COSMOS_ID = r"[^/\\?#\x00-\x1f\x7f]{0,254}[^/\\?#\x00-\x20\x7f]"
_COSMOS_ID_FORM = "1 to 255 characters without `/`, `\\`, `?` and `#`, no space at its end"
_COSMOS_LIMITS = "https://learn.microsoft.com/azure/cosmos-db/concepts-limits#per-container-limits"
COSMOS_DATABASE = Rule(_COSMOS_ID, f"a Cosmos DB database's name: {_COSMOS_ID_FORM}", _COSMOS_LIMITS)
COSMOS_CONTAINER = Rule(_COSMOS_ID, f"a Cosmos DB container's name: {_COSMOS_ID_FORM}", _COSMOS_LIMITS)

NODE_SIZE = Rule(
    "[A-Za-z][A-Za-z0-9]{0,19}(?:_[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*){1,5}",
    "a size of virtual machines, such as `Standard_D2s_v5`",
    "https://learn.microsoft.com/azure/virtual-machines/vm-naming-conventions",
)

NAMESPACE = Rule(
    _LABEL,
    "a namespace's name: 1 to 63 lower-case letters, digits and `-`, a letter or digit first and last",
    f"{_KUBERNETES}#dns-label-names",
)
SERVICE_ACCOUNT = Rule(
    rf"(?=.{{1,253}}$)(?:{_LABEL}\.)*{_LABEL}",
    "a service account's name: 1 to 253 lower-case letters, digits, `-` and `.`, 63 at most between two `.`, a letter "
    "or digit at both ends of each part",
    f"{_KUBERNETES}#dns-subdomain-names",
)
# An Ingress takes `*.example.com` besides, but that is no address at which anybody reaches an application.
HOST_NAME = Rule(
    rf"(?=.{{1,253}}$)(?![0-9]+(?:\.[0-9]+){{3}}$)(?:{_LABEL}\.)*{_LABEL}",
    "a host's name, such as `shop.example.com`: lower-case letters, digits, `-` and `.`, 253 at most, 63 between two "
    "`.`, no `*`, no IP address, without `https://`, a port or a path",
    f"{_KUBERNETES}#dns-subdomain-names",
)

# resource.Quantity takes more: amounts below 0, which are refused with the pod; parts of a byte and CPU finer than 1m,
# which are rounded up and not what anybody means, as the 0.4 bytes of `400m`.
_NUMBER = r"(?:[0-9]+\.?[0-9]*|\.[0-9]+)"
_MULTIPLE = r"(?:[KMGTPE]i|[kMGTPE]|[eE]\+?[0-9]{1,2})"
MEMORY = Rule(
    rf"\+?(?=[0-9.]*[1-9])(?:{_NUMBER}{_MULTIPLE}|[0-9]+(?:\.0*)?|[0-9]+000m)",
    "an amount of memory in whole bytes above 0, such as `128Mi`, `1.5Gi` or `128000000` (`m` is a thousandth of one)",
    f"{_QUANTITIES}#meaning-of-memory",
)
CPU = Rule(
    rf"\+?(?:{_NUMBER}{_MULTIPLE}|[0-9]+\.?|[0-9]*\.[0-9]{{1,3}}0*|[0-9]+(?:\.0*)?m)",
    "an amount of CPU in steps of 1m, such as `100m`, `0.5` or `2`",
    f"{_QUANTITIES}#meaning-of-cpu",
)

TAG = Rule(
    "[A-Za-z0-9_][A-Za-z0-9._-]{0,127}",
    "an image's tag: 1 to 128 letters, digits, `_`, `.` and `-`, none of the last two first",
    _OCI,
)
_PART = "[a-z0-9]+(?:(?:[.]|_|__|-+)[a-z0-9]+)*"
REPOSITORY = Rule(
    f"(?=.{{1,255}}$){_PART}(?:/{_PART})*",
    "an image's repository: lower-case letters and digits, between them single `.`, `_` or `-`, and `/`, without the "
    "registry and without a tag",
    _OCI,
)

APPLICATION_NAME = Rule(
    r"(?=.*[A-Za-z0-9])[^\x00-\x1f\x7f]{1,253}",
    "an application's name: 1 to 253 characters on one line, a letter or digit of ASCII among them",
    f"{_KUBERNETES}#dns-subdomain-names",
)
SHIM_VERSION = Rule(
    r"v?[0-9]{1,9}\.[0-9]{1,9}(?:\.[0-9]{1,9})?(?:-[0-9A-Za-z.-]+)?",
    "a version of containerd-shim-spin, such as `0.24.0`",
    "https://github.com/spinframework/containerd-shim-spin/releases",
)
# Windows has no folder with a `.` at its end (it is another one without it), and none called like a device.
ENVIRONMENT = Rule(
    r"(?!(?:[Cc][Oo][Nn]|[Pp][Rr][Nn]|[Aa][Uu][Xx]|[Nn][Uu][Ll]|(?:[Cc][Oo][Mm]|[Ll][Pp][Tt])[0-9])(?:\.|$))"
    "[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9_-])?",
    "a name of letters, digits, `.`, `_` and `-`, a letter or digit first, no `.` last, 63 at most, and not one that "
    "Windows keeps for a device",
    "https://learn.microsoft.com/windows/win32/fileio/naming-a-file#naming-conventions",
)
VARIABLE_NAME = Rule(
    "[a-z](?:_?[a-z0-9])*",
    "a variable's name in Spin: lower-case letters, digits and single `_` between them, a letter first",
    f"{_SPIN}/expressions/src/lib.rs",
)
_WORD = "(?:[a-z][a-z0-9]*|[A-Z][A-Z0-9]*)"
STORE_LABEL = Rule(
    f"{_WORD}(?:-{_WORD})*|{_WORD}(?:_{_WORD})*",
    "a store's label in Spin: words of letters and digits with single `-` or `_` between them, never both, each word "
    "with a letter first and in one case",
    f"{_SPIN}/serde/src/id.rs",
)
