"""The words of the reference page that no table makes."""

from __future__ import annotations

START = """\
# Configuration

<!-- Made by `python -m spin_aks.settings.reference > docs/configuration.md`: an edit here is lost. -->

Every input of `spin-aks` has a key in a file and an environment variable, and most have a flag; a value does the same
by any of them. `spin-aks config reference` prints this page, `spin-aks config show` what holds right now, and where it
comes from.

- [Where a value comes from](#where-a-value-comes-from)
- [The files](#the-files)
- [Environments](#environments)
- [An example](#an-example)
- [Every key](#every-key)
- [Names of your own: variables, secrets, stores](#names-of-your-own-variables-secrets-stores)
- [What is written back](#what-is-written-back)
- [Other environment variables](#other-environment-variables)
- [The runtimes that are known](#the-runtimes-that-are-known)
"""

SOURCES = """\
## Where a value comes from

The first of these that gives a value counts:

1. the flag on the command line;
2. the environment variable; one that is empty gives nothing;
3. the overlay of the environment, `aks-spin.NAME.toml`;
4. the file, `aks-spin.toml`;
5. what is built in.

Where none of them gives a value that is needed, you are asked, with what you chose last as the default
(`spin-aks state show`). `-y` takes the defaults and says so. With `--no-input`, with `CI` set or without a terminal
nothing is asked and nothing remembered counts: what is missing is listed all at once, each with its flag, its variable
and its key, and the exit code is 3.

Relative paths in a file are relative to that file's folder, those of flags and variables to the folder you are in. An
empty text takes back what comes below it, so that what is built in holds. Every value is checked, also one that another
wins over.
"""

FILES = """\
## The files

`-c PATH` names the file; `-c` and `-e` may stand before or after the command's name. Without `-c`, `aks-spin.toml` or
`spin-aks.toml` is looked for beside the application that `-f` names, then from the folder you are in up to the root of
its git repository and not beyond; outside of a repository only in the folder itself. Both names in one folder are an
error. Without any file all works as well.

The file is TOML, UTF-8. Unknown keys, wrong types and values that Azure, Kubernetes or a registry would refuse are
errors with file and line, all of them at once. **No secret belongs in it**, and what looks like one is refused: a
secret is in a Key Vault, and the file has its name there.

```sh
spin-aks config show                          # every value, and where it comes from
spin-aks config get image.form                # one value, for scripts; exit code 1 if there is none
spin-aks config set kubernetes.replicas 3     # writes the file, or makes one; every other byte stays
spin-aks config set kubernetes.replicas 5 -e production     # writes the environment's overlay
spin-aks config unset kubernetes.replicas
```

Editors complete and check the file by a JSON schema. Keep it beside the file and name it in the first line, which
[Taplo](https://taplo.tamasfe.dev) ("Even Better TOML") and [Tombi](https://tombi-toml.github.io/tombi) read:

```sh
spin-aks config schema > aks-spin.schema.json
```

```toml
#:schema ./aks-spin.schema.json
```
"""

ENVIRONMENTS = """\
## Environments

An environment has a name, values of its own in its overlay, its own state, and its own namespace unless
`kubernetes.namespace` says otherwise. Its name is that of `-e`, else that of the file of `-c`, else `default`.

| command | reads | environment | state | namespace |
|---|---|---|---|---|
| `up` | `aks-spin.toml` | `default` | `.spin-aks/default/` | `APP` |
| `up -e staging` | `aks-spin.staging.toml` over `aks-spin.toml` | `staging` | `.spin-aks/staging/` | `APP-staging` |
| `up -c shop.toml` | `shop.toml` | `shop` | `.spin-aks/shop/` | `APP-shop` |
| `up -c shop.toml -e staging` | `shop.staging.toml` over `shop.toml` | `staging` | `.spin-aks/shop.staging/` | `APP-shop-staging` |

`APP` is the application's name. An overlay that is not there is no error: its environment has the values of all.

`.spin-aks/` stands beside the configuration file that names the application (`app.manifest`) or is in its folder, else
beside its `spin.toml`. Two configuration files never share a state folder; one that belongs to another file is refused.

With `require_environment = true` nothing runs without `-e` or `-c`, so that nobody deploys to production because a flag
was forgotten.
"""  # noqa: E501

EXAMPLE_INTRODUCTION = """\
## An example

Everything is optional. Keys behind a `#` are for versions to come: this one accepts them, and says that it does not
read them yet.
"""

EXAMPLE = """\
#:schema ./aks-spin.schema.json
schema = 1                         # the version of this file's form
require_environment = false        # true: refuse to run without `-e` or `-c`

[app]
manifest = "spin.toml"             # from this file's folder
name = "shop"

[runtime]
shim = "0.24.0"                    # of containerd-shim-spin, as it is on the nodes
installer = "kwasm"                # or "preinstalled"

[build]
profile = "release"                # a profile of spin.toml

[image]
builder = "auto"                   # or "oci", "docker", "acr", "spin"
form = "auto"                      # or "artifact", "rootfs"
platform = "linux/amd64"           # or "linux/arm64"
dockerfile = "Dockerfile"
repository = "team/shop"
tag = "content"                    # the hash of what is in the image; "git": the commit

[container_registry]
server = "ghcr.io/me"              # any registry; one of Azure's is found by its name instead:
name = "shopregistry"
resource_group = "shop"
subscription = "00000000-0000-0000-0000-000000000000"
# kind = "acr"                     # or "other"

[kubernetes]
type = "kube"
dest = "manifests"
namespace = "shop"
replicas = 2
service = "loadbalancer"           # or "clusterip"
# ingress = "shop.example.com"

[kubernetes.resources]
cpu_request = "100m"
cpu_limit = "500m"
memory_request = "64Mi"
memory_limit = "128Mi"

[cluster]
kubeconfig = "../kubeconfig"
context = "my-cluster"
timeout = 300                      # seconds
name = "shop-cluster"              # in AKS, in place of a kubeconfig and its context
resource_group = "shop"
subscription = "00000000-0000-0000-0000-000000000000"
tenant = "00000000-0000-0000-0000-000000000000"
location = "eastus2"               # of what is made with `--create`
node_size = "Standard_D2s_v5"
node_count = 2

[variables]
greeting = "Welcome"               # plain values only

[keyvault]                         # found or made, and who may use it; its secrets are for versions to come
name = "shop-vault"
resource_group = "shop"
subscription = "00000000-0000-0000-0000-000000000000"

[identity]                         # found or made: what the pods use Azure as, with no key stored
name = "shop-identity"
resource_group = "shop"
subscription = "00000000-0000-0000-0000-000000000000"
service_account = "shop"           # of the pods

# [secrets]
# payment_key = "shop-payment-key" # its name in the vault, never its value

[store.default]                    # found or made; what the application uses is said in runtime-config.toml
kind = "cosmos"                    # or "redis"
name = "shop-cosmos"
database = "shop"
container = "default"
resource_group = "shop"
subscription = "00000000-0000-0000-0000-000000000000"

# [redis_trigger]
# subscription = "00000000-0000-0000-0000-000000000000"
# resource_group = "shop"
# name = "shop-redis"
# variable = "redis_address"       # the secret variable of spin.toml that holds its address
"""

OVERLAY_INTRODUCTION = """\
The overlay of `-e staging`, `aks-spin.staging.toml`, has only what is different there:
"""

OVERLAY = """\
[kubernetes]
replicas = 1
service = "clusterip"

[cluster]
context = "staging-cluster"

[variables]
greeting = "Hello from staging"
"""

KEYS = """\
## Every key

*Not read yet*: accepted and checked by this version, which does nothing with it.
"""

TEXTS = """\
### What a text has to be

No name longer than 1024 characters is read at all, and none holds a NUL.
"""

NAMES = """\
## Names of your own: variables, secrets, stores

Three tables have keys that you name. Names are as Spin has them; in an environment variable they are in upper case,
with `_`.

| in the file | flag | environment variable |
|---|---|---|
| `[variables]` `api_host = "example.com"` | `--variable api_host=example.com`, repeated | `SPIN_AKS_VARIABLES_API_HOST=example.com` |
| `[secrets]` `api_key = "NAME-IN-THE-VAULT"` | | `SPIN_AKS_SECRETS_API_KEY=NAME-IN-THE-VAULT` |
| `[store.orders]` `kind = "redis"` | | `SPIN_AKS_STORE_ORDERS_KIND=redis` |

`config get` and `config set` take them as `variables.api_host`, `secrets.api_key`, `store.orders.kind`. A name in an
environment variable is the one that the files spell so (`SPIN_AKS_STORE_MY_ORDERS_KIND` is for `[store.my-orders]`, if
there is that), else the same in lower case.
"""  # noqa: E501

OUTPUTS = """\
## What is written back

- `push` writes `[image.pushed]` (registry, repository, tag, digest), for you and for other tools to read. It goes to
  the file of the run's environment alone: with `-e` to its overlay, else to the file; where there is none, nothing is
  written. No stage depends on it.
- `scaffold` writes where the Dockerfile and the Kubernetes files are (`image.dockerfile`, `kubernetes.dest`), into the
  file that all environments share, which it makes if there is none; where the overlay has one already, into that.
- An answer to a question, if you say so, into the environment's overlay if it has one, else into the file.
- Of one application's own (what `push` and `scaffold` write, the values of variables) nothing goes into a configuration
  that others may share: one that neither lies beside `spin.toml` nor names it with `app.manifest`.
- `config set` and `config unset`.

Comments, order, blank lines, line ends and every other byte stay as they were.
"""

OTHERS = """\
## Other environment variables

A variable that begins with `SPIN_AKS_` and that nobody reads is named in a warning. These are read besides those above:
"""

RUNTIMES = """\
## The runtimes that are known

`runtime.shim` is one of these releases of containerd-shim-spin, each with the Spin that is in it. What an application
uses and the target's Spin lacks is refused before anything is built, with the version that has it.

- **manifests**: the versions of `spin.toml` (`spin_manifest_version`) that it reads.
- **triggers**: their types; *one type*: an application may have triggers of one type only.
- **variables**: what the names of an application's variables begin with in the pod's environment; `-`: none reaches it.
- **artifact**: whether it runs the image form `artifact`; *no files*: only for applications without `files`.
- **ahead**: whether a node compiles an artifact once, and not at each start.
- **runtime-config**: whether it reads a `runtime-config.toml`.
"""
