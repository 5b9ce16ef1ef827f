"""Somebody who knows no Kubernetes, has a subscription, types `spin-aks up` and presses Enter."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from typing import TYPE_CHECKING, Any

import pytest
from testbed.azure_cloud import CLUSTERS, REGISTRIES, Cloud
from testbed.typist import CTRL_C, Typist, at_terminal, started

from spin_aks.commands.named_anew import registry_names
from spin_aks.sandbox.azure.identifiers import SUBSCRIPTION

if TYPE_CHECKING:
    from pathlib import Path

    from testbed.application import App

OTHER = "11111111-2222-4333-8444-555555555555"
CONTOSO = "c0c0c0c0-1111-4000-8000-000000000001"
NUMBER = "Number or part of a name"
IN_AZURE = f"{NUMBER} [1: an AKS cluster in Azure]: "
CLUSTER_NAME = "Name of the new cluster [tiny]: "
REGION = "Region [eastus2]: "
ACR = f"{NUMBER} [1: an Azure Container Registry]: "
BY_HOST = "Registry to push to (HOST[:PORT][/PREFIX]): "
KEEP = "Keep this in `aks-spin.toml`? [Y/n] "
GIVE = "Give it? [Y/n] "
MADE_UP, SECOND_MADE_UP, _ = registry_names("tiny", SUBSCRIPTION)
REGISTRY_NAME = f"Name of the new registry [{MADE_UP}]: "
COSTS = f"That costs money. Make cluster `tiny` and registry `{MADE_UP}`? [y/N] "
FROM_NOTHING = {
    IN_AZURE: "\n",
    CLUSTER_NAME: "\n",
    REGION: "\n",
    ACR: "\n",
    REGISTRY_NAME: "\n",
    KEEP: "\n",
    COSTS: "y\n",
    GIVE: "\n",
}
NOBODY = {"AZURE_TOKEN_CREDENTIALS": "AzureCliCredential", "PATH": "/usr/bin:/bin"}
OFFLINE = {"HTTPS_PROXY": "http://127.0.0.1:1", "https_proxy": "http://127.0.0.1:1"}
KUBECONFIG = """\
apiVersion: v1
kind: Config
contexts:
- {name: blue, context: {cluster: here, user: me}}
clusters:
- {name: here, cluster: {server: "http://127.0.0.1:1"}}
users:
- {name: me, user: {}}
"""
NOTE = "import sys; from spin_aks import choices; choices.note(cluster=sys.argv[1], registry=sys.argv[2])"


@pytest.fixture
def app(fresh: App, tmp_path: Path) -> App:
    """`fresh`, with a home in which nothing is, at a terminal that can't dim."""
    fresh.environment |= {"HOME": str(tmp_path / "home"), "TERM": "dumb"}
    return fresh


@pytest.fixture
def blue(app: App, tmp_path: Path) -> App:
    """The same with a kubeconfig, none of whose contexts is the current one."""
    (tmp_path / "kubeconfig").write_text(KUBECONFIG)
    app.environment["KUBECONFIG"] = str(tmp_path / "kubeconfig")
    return app


def configuration(app: App) -> dict[str, Any]:
    found = tomllib.loads((app.root / "aks-spin.toml").read_text())
    found.pop("image", None)
    return found


def there(cloud: Cloud) -> list[str]:
    return [str(one["name"]) for kind in (CLUSTERS, REGISTRIES) for one in cloud.every(kind)]


def note(app: App, cluster: str = "", registry: str = "") -> None:
    """Makes the state remember this, in a process of its own."""
    subprocess.run([sys.executable, "-c", NOTE, cluster, registry], env=app.surroundings(), check=True)


def answers(typist: Typist, question: str, answer: str = "") -> None:
    typist.sees(question)
    typist.types(f"{answer}\n")


def out(typist: Typist) -> str:
    """Leaves at the question that is open; gives all that was seen."""
    typist.types(CTRL_C)
    assert 130 == typist.leaves(), typist.seen
    return typist.seen


def test_enter_and_one_yes_lead_from_nothing_to_a_deployment(app: App, cloud: Cloud) -> None:
    with at_terminal(app, "up", *app.flags) as typist:
        for question, keys in FROM_NOTHING.items():
            typist.sees(question)
            typist.types(keys)
        code = typist.leaves()
    asked = len(cloud.asked())
    again = app.ok("up")
    asked_again = cloud.asked()[asked:]

    assert 0 == code, typist.seen
    assert ["tiny", MADE_UP] == there(cloud)
    assert 1 == len(cloud.pulls())
    assert "tiny is in the namespace tiny of the sandbox" in typist.seen
    assert {
        "schema": 1,
        "cluster": {"name": "tiny", "resource_group": "tiny", "subscription": SUBSCRIPTION, "location": "eastus2"},
        "container_registry": {"name": MADE_UP},
    } == configuration(app)
    assert ([], True) == (again.stages("run"), "everything is fresh" in again.err)
    assert [] == asked_again


def test_each_step_is_said_in_order_and_nothing_else(app: App) -> None:
    with at_terminal(app, "up", *app.flags) as typist:
        for question, keys in list(FROM_NOTHING.items())[:5]:
            typist.sees(question)
            typist.types(keys)
        typist.sees(KEEP)
        seen = out(typist)

    assert seen.startswith(
        f"there is no kubeconfig at `{app.environment['HOME']}/.kube/config`\n"
        "Where to deploy to\n"
        "  1  an AKS cluster in Azure\n"
        f"{IN_AZURE}\n"
        "asking Azure which clusters there are\n"
        f"subscription `Sandbox` ({SUBSCRIPTION})\n"
        "there is none yet: name a new one (you are asked again before it is made)\n"
        f"{CLUSTER_NAME}\n"
        f"{REGION}\n"
        "Registry to push to\n"
        "  1  an Azure Container Registry\n"
        "  2  another, by its host\n"
        f"{ACR}\n"
        "asking Azure which registries there are\n"
        "there is none yet: name a new one (you are asked again before it is made)\n"
        f"{REGISTRY_NAME}\n"
        f"{KEEP}^C\n"
    ), seen


@pytest.mark.parametrize("at", list(FROM_NOTHING)[:-1])
def test_ctrl_c_at_any_question_leaves_nothing_in_azure_and_no_answer_behind(app: App, cloud: Cloud, at: str) -> None:
    with at_terminal(app, "up", *app.flags) as typist:
        for question, keys in FROM_NOTHING.items():
            typist.sees(question)
            if question == at:
                break
            typist.types(keys)
        seen = out(typist)

    assert [] == cloud.changes()
    assert "interrupted: what is done is kept" in seen
    assert "Traceback" not in seen
    assert (at == COSTS) is (app.root / "aks-spin.toml").exists()  # Enter kept the answers one question before
    assert "another run is at work" not in app.run("list").err


def test_whoever_says_no_to_the_costs_has_nothing_made(app: App, cloud: Cloud) -> None:
    with at_terminal(app, "up", *app.flags) as typist:
        for question, keys in FROM_NOTHING.items():
            typist.sees(question)
            typist.types("\n" if question == COSTS else keys)
            if question == COSTS:
                break
        code = typist.leaves()

    assert (1, []) == (code, cloud.changes())
    assert "error: there is no AKS cluster `tiny`" in typist.seen


def test_clusters_and_registries_that_are_there_are_shown_and_chosen(blue: App, cloud: Cloud) -> None:
    cloud.cluster("shop-rg", "shop-aks")
    cloud.cluster("other-rg", "Other")
    cloud.registry("shop-rg", "shopregistry")
    begin = len(cloud.asked())

    with at_terminal(blue, "up", *blue.flags) as typist:
        typist.sees(
            "Where to deploy to\n  1  blue                     http://127.0.0.1:1\n  2  an AKS cluster in Azure\n"
        )
        answers(typist, f"{NUMBER}: ", "2")
        typist.sees("AKS cluster\n  1  Other      group other-rg, eastus2\n  2  shop-aks   group shop-rg, eastus2\n")
        typist.sees("  3  a new one\n")
        answers(typist, f"{NUMBER}: ", "shop-aks")
        answers(typist, ACR)
        typist.sees("Container registry\n  1  shopregistry  group shop-rg, eastus2\n  2  a new one\n")
        answers(typist, f"{NUMBER}: ", "1")
        answers(typist, KEEP)
        answers(typist, GIVE)
        code = typist.leaves()
    again = blue.ok("up")

    assert 0 == code, typist.seen
    assert {
        "schema": 1,
        "cluster": {
            "name": "shop-aks",
            "resource_group": "shop-rg",
            "subscription": SUBSCRIPTION,
            "location": "eastus2",
        },
        "container_registry": {"name": "shopregistry", "resource_group": "shop-rg"},
    } == configuration(blue)
    assert ["roleAssignments"] == [
        one.place.split("/")[-2] for one in cloud.asked()[begin:] if one.method == "PUT" and "azure.com" in one.place
    ]
    assert "everything is fresh" in again.err


def test_a_cluster_that_is_stopped_says_so(app: App, cloud: Cloud) -> None:
    cloud.cluster("shop-rg", "shop-aks")
    state = cloud.running._azure.world.state
    ((place, cluster),) = state.items_of(CLUSTERS[0])
    state.put(
        CLUSTERS[0], place, {**cluster, "properties": {**cluster["properties"], "powerState": {"code": "Stopped"}}}
    )

    with at_terminal(app, "up", *app.flags) as typist:
        answers(typist, IN_AZURE)
        typist.sees("shop-aks   group shop-rg, eastus2, stopped\n")
        typist.sees(f"{NUMBER}: ")
        seen = out(typist)

    assert 1 == seen.count("shop-aks")
    assert not (app.root / "aks-spin.toml").exists()


def test_a_private_cluster_says_so(app: App, cloud: Cloud) -> None:
    cloud.cluster("shop-rg", "shop-aks", apiServerAccessProfile={"enablePrivateCluster": True})

    with at_terminal(app, "up", *app.flags) as typist:
        answers(typist, IN_AZURE)
        typist.sees("shop-aks   group shop-rg, eastus2, private\n")
        typist.sees(f"{NUMBER}: ")
        seen = out(typist)

    assert "stopped" not in seen
    assert not (app.root / "aks-spin.toml").exists()


def test_whoever_has_the_registry_build_is_offered_those_that_can(app: App) -> None:
    with at_terminal(app, "push", *app.flags, "--builder", "acr") as typist:
        typist.sees(ACR)
        seen = out(typist)

    assert "Where to deploy to" not in seen


def test_a_resource_group_that_is_given_has_the_clusters_that_are_shown_and_the_new_one(app: App, cloud: Cloud) -> None:
    cloud.cluster("shop-rg", "shop-aks")
    cloud.cluster("other-rg", "other-aks")

    with at_terminal(app, "up", *app.flags, "--cluster-resource-group", "shop-rg") as typist:
        answers(typist, IN_AZURE)
        answers(typist, f"{NUMBER}: ", "a new one")
        answers(typist, CLUSTER_NAME, "shop-aks")
        typist.sees("there is a cluster `shop-aks` already, in the group `shop-rg`\n")
        answers(typist, CLUSTER_NAME)
        answers(typist, REGION)
        answers(typist, ACR)
        answers(typist, REGISTRY_NAME)
        answers(typist, KEEP)
        answers(typist, COSTS, "y")
        answers(typist, GIVE)
        code = typist.leaves()

    assert 0 == code, typist.seen
    assert "other-aks" not in typist.seen
    assert "AKS cluster `tiny` in resource group `shop-rg`" in typist.seen.replace("\n", "")


def test_what_is_given_is_not_asked_for(app: App, cloud: Cloud) -> None:
    given = ("--location", "westeurope", "--subscription", SUBSCRIPTION)
    with at_terminal(app, "up", *app.flags, *given) as typist:
        answers(typist, IN_AZURE)
        answers(typist, CLUSTER_NAME)
        answers(typist, ACR)
        answers(typist, REGISTRY_NAME)
        typist.sees(KEEP)
        seen = out(typist)

    assert "Region" not in seen
    assert not [one for one in cloud.asked() if one.place.endswith("/subscriptions")]


def test_a_cluster_named_in_the_file_makes_the_registry_of_azure_the_usual_one(app: App, cloud: Cloud) -> None:
    (app.root / "aks-spin.toml").write_text('[cluster]\nname = "aks1"\n')

    with at_terminal(app, "up", *app.flags) as typist:
        answers(typist, ACR)
        answers(typist, REGISTRY_NAME, "acme1")
        answers(typist, "Region [eastus2]: ", "West Europe")
        answers(typist, KEEP)
        typist.sees("to be made in Azure: registry `acme1` in resource group `aks1`, westeurope, tier Basic")
        typist.sees("Make cluster `aks1` and registry `acme1`? [y/N] ")
        out(typist)

    assert {
        "cluster": {"name": "aks1", "location": "westeurope", "subscription": SUBSCRIPTION},
        "container_registry": {"name": "acme1"},
    } == configuration(app)


def test_without_a_cluster_in_azure_a_registry_is_named_by_its_host_unless_chosen(app: App) -> None:
    with at_terminal(app, "push", *app.flags) as typist:
        answers(typist, f"{NUMBER} [2: another, by its host]: ", "azure")
        typist.sees("chosen: an Azure Container Registry\n")
        answers(typist, REGISTRY_NAME)
        answers(typist, REGION)
        answers(typist, KEEP)
        answers(typist, f"That costs money. Make registry `{MADE_UP}`? [y/N] ", "y")
        code = typist.leaves()

    assert 0 == code, typist.seen


def test_names_and_regions_that_can_not_be_are_asked_for_again_with_the_reason(app: App, cloud: Cloud) -> None:
    cloud.registry("mine", MADE_UP)
    cloud.registry("mine", "acme1")

    with at_terminal(app, "up", *app.flags) as typist:
        answers(typist, IN_AZURE)
        answers(typist, CLUSTER_NAME, "my cluster")
        typist.sees("`my cluster` is not an AKS cluster's name: 1 to 63 letters")
        answers(typist, CLUSTER_NAME)
        answers(typist, REGION, "mars")
        typist.sees("the subscription has no region `mars`: it has `")
        answers(typist, REGION, "westeurop")
        typist.sees("the subscription has no region `westeurop`: did you mean `westeurope`?\n")
        answers(typist, REGION, "West Europe")
        answers(typist, ACR)
        answers(typist, f"{NUMBER}: ", "3")
        question = f"Name of the new registry [{SECOND_MADE_UP}]: "
        answers(typist, question, "acme-1")
        typist.sees("`acme-1` is not a registry's name in Azure: 5 to 50 letters and digits")
        answers(typist, question, "acme1")
        typist.sees("The registry acme1 is already in use.\n")
        answers(typist, question, "acme1234")
        answers(typist, KEEP)
        typist.sees("? [y/N] ")
        out(typist)

    assert "westeurope" == configuration(app)["cluster"]["location"]
    assert {"name": "acme1234"} == configuration(app)["container_registry"]


def test_whoever_has_several_subscriptions_chooses_one_and_is_not_asked_twice(app: App, cloud: Cloud) -> None:
    cloud.subscribe(OTHER, "Other")

    with at_terminal(app, "up", *app.flags) as typist:
        answers(typist, IN_AZURE)
        typist.sees("Subscription\n")
        answers(typist, f"{NUMBER}: ", "other")
        typist.sees(f"chosen: Other ({OTHER})\n")
        answers(typist, CLUSTER_NAME)
        answers(typist, REGION)
        answers(typist, ACR)
        answers(typist, "Name of the new registry [tiny")
        answers(typist, KEEP)
        answers(typist, "[y/N] ", "y")
        answers(typist, GIVE)
        code = typist.leaves()

    assert 0 == code, typist.seen
    assert OTHER == configuration(app)["cluster"]["subscription"]
    assert "subscription" not in configuration(app)["container_registry"]
    assert (
        f"/subscriptions/{OTHER}/"
        in json.loads((app.root / ".spin-aks/default/azure.json").read_text())["cluster"]["id"]
    )
    assert 1 == typist.seen.count("Subscription\n")


def test_a_cluster_that_was_found_before_says_in_which_subscription_the_registry_is(app: App, cloud: Cloud) -> None:
    cloud.subscribe(OTHER, "Other")
    cloud.cluster("shop-rg", "shop-aks")
    (app.root / "aks-spin.toml").write_text('[cluster]\nname = "shop-aks"\n')
    app.ok("run", "resources", "--subscription", SUBSCRIPTION)

    with at_terminal(app, "push", *app.flags) as typist:
        answers(typist, ACR)
        typist.sees("asking Azure which registries there are\n")
        answers(typist, REGISTRY_NAME)
        answers(typist, REGION)
        typist.sees(KEEP)
        seen = out(typist)

    assert "Subscription" not in seen


@pytest.fixture
def guest(cloud: Cloud) -> Cloud:
    """Whoever signs in has another subscription, in Contoso's tenant."""
    cloud.invite(CONTOSO, "Contoso")
    cloud.subscribe(OTHER, "Team", CONTOSO)
    return cloud


def test_a_guest_chooses_a_subscription_of_another_tenant_and_all_is_made_there(app: App, guest: Cloud) -> None:
    with at_terminal(app, "up", *app.flags) as typist:
        answers(typist, IN_AZURE)
        typist.sees("Subscription\n")
        answers(typist, f"{NUMBER}: ", "contoso")
        answers(typist, CLUSTER_NAME)
        answers(typist, REGION)
        answers(typist, ACR)
        answers(typist, "Name of the new registry [tiny")
        answers(typist, KEEP)
        answers(typist, "[y/N] ", "y")
        answers(typist, GIVE)
        code = typist.leaves()
    again = app.ok("up")

    assert 0 == code, typist.seen
    assert OTHER == configuration(app)["cluster"]["subscription"]
    assert CONTOSO == json.loads((app.root / ".spin-aks/default/azure.json").read_text())["tenant"]
    assert "everything is fresh" in again.err


def test_ctrl_c_while_azure_takes_its_time_ends_at_once(app: App, cloud: Cloud) -> None:
    cloud.trouble('path = "**/managedClusters"\ndelay_s = 120')

    with at_terminal(app, "up", *app.flags) as typist:
        answers(typist, IN_AZURE)
        typist.sees("subscription `Sandbox`")
        seen = out(typist)

    assert "interrupted: what is done is kept" in seen
    assert "Traceback" not in seen


# where Azure gives no answer


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        (
            NOBODY,
            ["warning: nobody is signed in to Azure", "  AzureCliCredential: ", "hint: type `az login`; in CI set "],
        ),
        (
            OFFLINE,
            [
                "warning: can't sign in to Azure: its sign-in service can't be reached",
                "  ",
                "hint: are you online, and ",
            ],
        ),
    ],
    ids=["nobody", "offline"],
)
def test_whoever_has_a_kubeconfig_goes_on_without_azure(
    blue: App, environment: dict[str, str], said: list[str]
) -> None:
    with at_terminal(blue, "up", *blue.flags, **environment) as typist:
        answers(typist, f"{NUMBER}: ", "2")
        typist.sees("asking Azure which clusters there are\n")
        typist.sees("Where to deploy to\n  1  blue  http://127.0.0.1:1\n")
        answers(typist, f"{NUMBER}: ", "1")
        answers(typist, BY_HOST, "registry.example.com/team")
        answers(typist, KEEP)
        typist.leaves()

    heard = typist.seen.partition("asking Azure which clusters there are\n")[2].splitlines()
    assert said == [line[: len(start)] for line, start in zip(heard, said, strict=False)]
    assert {
        "schema": 1,
        "cluster": {"context": "blue"},
        "container_registry": {"server": "registry.example.com/team"},
    } == configuration(blue)


def test_whoever_has_nothing_else_is_told_how_to_sign_in(app: App) -> None:
    with at_terminal(app, "up", *app.flags, **NOBODY) as typist:
        answers(typist, IN_AZURE)
        code = typist.leaves()

    assert 1 == code
    assert "asking Azure which clusters there are\nerror: nobody is signed in to Azure\n" in typist.seen
    assert "\nhint: type `az login`; in CI set " in typist.seen
    assert "Traceback" not in typist.seen
    assert not (app.root / "aks-spin.toml").exists()


def test_whoever_has_no_subscription_is_told_so(app: App, cloud: Cloud) -> None:
    state = cloud.running._azure.world.state
    for place, found in state.items_of("subscriptions"):
        state.put("subscriptions", place, {**found, "state": "Disabled"})

    with at_terminal(app, "up", *app.flags) as typist:
        answers(typist, IN_AZURE)
        code = typist.leaves()

    assert 1 == code
    assert "error: whoever signed in sees no subscription that can be used\nhint: sign in to " in typist.seen


def test_a_registry_can_be_named_by_its_host_when_azure_gives_no_answer_any_more(app: App, cloud: Cloud) -> None:
    with at_terminal(app, "up", *app.flags) as typist:
        answers(typist, IN_AZURE)
        answers(typist, CLUSTER_NAME)
        answers(typist, REGION)
        typist.sees(ACR)
        cloud.trouble('path = "**/registries"\nstatus = 403\ncode = "AuthorizationFailed"\nmessage = "no"')
        typist.types("\n")
        typist.sees("warning: ")
        answers(typist, BY_HOST, "registry.example.com")
        answers(typist, KEEP)
        typist.sees("[y/N] ")
        out(typist)

    assert {"server": "registry.example.com"} == configuration(app)["container_registry"]
    assert "tiny" == configuration(app)["cluster"]["name"]


# where nobody answers


def test_yes_takes_no_cluster_that_nobody_chose(app: App, cloud: Cloud) -> None:
    cloud.cluster("shop-rg", "shop-aks")
    begin = len(cloud.asked())

    done = app.run("up", "-y")

    assert (3, begin) == (done.code, len(cloud.asked()))
    assert [
        "error: no registry is named",
        f"error: there is no kubeconfig at `{app.environment['HOME']}/.kube/config`",
        "hint: give `--registry HOST[:PORT][/PREFIX]`, `SPIN_AKS_CONTAINER_REGISTRY_SERVER` or "
        "`container_registry.server` in aks-spin.toml; an Azure Container Registry is named with `--registry NAME`; "
        "to try without one: `spin-aks sandbox -- spin-aks up`",
        "hint: an AKS cluster needs none: give `--cluster NAME`, `SPIN_AKS_CLUSTER_NAME` or `cluster.name` in "
        "aks-spin.toml; or `az aks get-credentials --resource-group GROUP --name CLUSTER` writes one, or name yours "
        "with `--kubeconfig`",
    ] == done.err.splitlines()


@pytest.mark.parametrize(("flags", "environment"), [(("--no-input",), {}), ((), {"CI": "1"})])
def test_at_a_terminal_that_nobody_sits_at_all_is_listed(
    app: App, cloud: Cloud, flags: tuple[str, ...], environment: dict[str, str]
) -> None:
    expected = app.run("up")

    with at_terminal(app, "up", *app.flags, *flags, **environment) as typist:
        code = typist.leaves()

    assert (3, expected.err) == (code, typist.seen)
    assert [] == cloud.asked()


# what was chosen last


def ids(cloud: Cloud) -> tuple[str, str]:
    cluster, registry = cloud.cluster("shop-rg", "shop-aks"), cloud.registry("shop-rg", "shopregistry")
    return cluster["id"], registry["id"]


def test_yes_takes_cluster_and_registry_of_last_time_and_says_so(app: App, cloud: Cloud) -> None:
    note(app, *ids(cloud))

    done = app.ok("up", "-y")

    assert "Where to deploy to: shop-aks (AKS cluster, in the group `shop-rg`), as last time\n" in done.err
    assert (
        "Registry to push to: shopregistry (Azure Container Registry, in the group `shop-rg`), as last time\n"
        in done.err
    )
    assert "tiny is in the namespace tiny of the sandbox" in done.err
    assert not (app.root / "aks-spin.toml").exists()


def test_enter_takes_what_was_chosen_last_without_asking_azure(blue: App, cloud: Cloud) -> None:
    note(blue, *ids(cloud))
    begin = len(cloud.asked())

    with at_terminal(blue, "up", *blue.flags) as typist:
        answers(typist, f"{NUMBER} [1: shop-aks]: ")
        answers(typist, f"{NUMBER} [1: shopregistry]: ")
        typist.sees(KEEP)
        asked = len(cloud.asked())
        answers(typist, "")
        typist.sees(GIVE)
        out(typist)

    assert begin == asked
    assert "  2  blue" in typist.seen
    assert {
        "cluster": {"name": "shop-aks", "resource_group": "shop-rg", "subscription": SUBSCRIPTION},
        "container_registry": {"name": "shopregistry", "resource_group": "shop-rg"},
        "schema": 1,
    } == configuration(blue)


def test_a_new_registry_is_made_where_the_cluster_of_last_time_is(app: App, cloud: Cloud) -> None:
    pool = {"name": "nodepool1", "mode": "System", "count": 1, "vmSize": "Standard_D2s_v5"}
    body = {"location": "westeurope", "properties": {"dnsPrefix": "shop", "agentPoolProfiles": [pool]}}
    note(app, cloud.made(CLUSTERS, "shop-rg", "shop-aks", {**body, "identity": {"type": "SystemAssigned"}})["id"])

    with at_terminal(app, "up", *app.flags) as typist:
        answers(typist, f"{NUMBER} [1: shop-aks]: ")
        answers(typist, ACR)
        answers(typist, REGISTRY_NAME)
        answers(typist, "Region [westeurope]: ")
        answers(typist, KEEP)
        typist.sees("[y/N] ")
        out(typist)

    kept = configuration(app)
    assert ("shop-aks", "westeurope") == (kept["cluster"]["name"], kept["cluster"]["location"])
    assert kept["container_registry"]["name"].startswith("tiny")


def test_a_last_cluster_that_is_gone_is_not_made_again_by_yes(app: App, cloud: Cloud) -> None:
    note(app, f"/subscriptions/{SUBSCRIPTION}/resourceGroups/shop-rg/providers/{CLUSTERS[0]}/gone")

    done = app.run("up", "-y", "--registry", "registry.example.com")

    assert (1, []) == (done.code, cloud.changes())
    assert "error: there is no AKS cluster `gone` in resource group `shop-rg`" in done.err


def test_a_kubeconfig_that_is_named_is_the_only_place_to_choose_from(app: App, cloud: Cloud, tmp_path: Path) -> None:
    note(app, *ids(cloud))
    (tmp_path / "named").write_text(KUBECONFIG)

    with at_terminal(app, "up", *app.flags, "--kubeconfig", str(tmp_path / "named")) as typist:
        typist.sees("Context of the kubeconfig to deploy to\n  1  blue  http://127.0.0.1:1\nNumber or part of a name: ")
        seen = out(typist)

    assert "Azure" not in seen


def test_what_was_deployed_to_in_azure_is_remembered_by_its_ids(app: App, cloud: Cloud) -> None:
    cluster, registry = ids(cloud)
    del app.environment["SPIN_AKS_SANDBOX"]  # where it is no sandbox

    app.ok("up", "--cluster", "shop-aks", "--registry", "shopregistry", "--attach-acr")
    found = app.plain("state", "show", "--output", "json").json

    assert (cluster.lower(), registry.lower()) == (found["cluster"].lower(), found["registry"].lower())


def test_of_the_sandbox_s_azure_nothing_is_remembered(app: App, cloud: Cloud) -> None:
    ids(cloud)

    app.ok("up", "--cluster", "shop-aks", "--registry", "shopregistry", "--attach-acr")

    assert "nothing is remembered" in app.plain("state", "show").out


# windows


def test_forty_columns_are_enough(blue: App, cloud: Cloud) -> None:
    cloud.cluster("a-resource-group-with-a-rather-long-name", "shop-aks")
    argv = [sys.executable, "-m", "spin_aks", "up", *blue.flags]

    with started(argv, blue.root, blue.surroundings(), columns=40) as typist:
        answers(typist, f"{NUMBER}: ", "azure")
        typist.sees("  1  shop-aks\n     group a-re...er-long-name, eastus2\n  2  a new one\n")
        answers(typist, f"{NUMBER}: ", "shop")
        answers(typist, ACR)
        answers(typist, REGISTRY_NAME)
        typist.sees(KEEP)
        seen = out(typist)

    listed = [line for line in seen.splitlines() if line.startswith("  ")]
    assert listed
    assert max(len(line) for line in listed) <= 40
