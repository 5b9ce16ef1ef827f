"""From nothing but a subscription to a deployment, by the names of a cluster and a registry in Azure."""

from __future__ import annotations

import json
import os
import re
import signal
import stat
import time
from typing import TYPE_CHECKING, Any

import pytest
from testbed.application import SHOP_VARIABLES, App, copy_of
from testbed.azure_cloud import ASSIGNMENTS, CLUSTERS, REGISTRIES, Cloud
from testbed.typist import CTRL_C, CTRL_D, at_terminal

from spin_aks.sandbox.azure.identifiers import CLIENT, OBJECT, SUBSCRIPTION

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAMED = ("--cluster", "aks1", "--registry", "acme1")
ALL = ("--create", "--attach-acr")
PULL = "the nodes of cluster `aks1` pull images from registry `acme1`"
REGISTRY_ID = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/aks1/providers/Microsoft.ContainerRegistry/registries/acme1"
)
QUESTION = "That costs money. Make cluster `aks1` and registry `acme1`? [y/N] "


def placed(resource: dict[str, str]) -> tuple[str, str]:
    """Group and name."""
    parts = resource["id"].split("/")
    return parts[4], parts[-1]


def there(cloud: Cloud) -> list[tuple[str, str]]:
    """Group and name of every cluster and registry."""
    return [placed(one) for kind in (CLUSTERS, REGISTRIES) for one in cloud.every(kind)]


def configure(app: App, text: str) -> None:
    (app.root / "aks-spin.toml").write_text(text)


def deployed_image(app: App) -> str:
    return next(
        line
        for line in (app.root / ".spin-aks/default/rendered.yaml").read_text().splitlines()
        if "image: acme" in line
    )


def test_from_a_subscription_alone_everything_is_made_and_deployed_and_made_once(fresh: App, cloud: Cloud) -> None:
    first = fresh.ok("up", *NAMED, *ALL)
    made = cloud.changes()
    asked = len(cloud.asked())
    second = fresh.ok("up", *NAMED, *ALL)
    asked_again = cloud.asked()[asked:]

    management = [(method, name) for method, name in made if method == "PUT" and not name.startswith("sha256")]
    assert [("PUT", "aks1"), ("PUT", "aks1"), ("PUT", "acme1")] == management[:3]
    assert [("aks1", "aks1"), ("aks1", "acme1")] == there(cloud)
    assert 1 == len(cloud.pulls())
    assert "image: acme1.azurecr.io/tiny:" in deployed_image(fresh)
    assert 1 == first.err.count("made resource group `aks1` in eastus2\n")
    assert "tiny is in the namespace tiny of the sandbox" in first.err
    assert ([], True) == (second.stages("run"), "everything is fresh" in second.err)
    assert [] == asked_again


def test_a_shop_of_four_components_is_brought_up_in_the_same_way(tmp_path: Path, cloud: Cloud) -> None:
    shop = App(copy_of("shop", tmp_path), cloud.environment, (*SHOP_VARIABLES, *NAMED))

    first = shop.ok("up", *ALL)
    asked = len(cloud.asked())
    second = shop.ok("up")
    third = shop.ok("up", "--refresh")

    assert {"resources", "push", "access", "apply"} <= set(first.stages("done"))
    assert ([], []) == (second.stages("run"), third.stages("run"))
    assert [] == cloud.changes(asked)


def test_what_would_be_made_is_shown_first_with_its_reasons(fresh: App, cloud: Cloud) -> None:
    done = fresh.run("run", "resources", *NAMED, "--location", "westeurope", "--node-count", "3")

    assert 1 == done.code
    assert (
        "to be made in Azure: AKS cluster `aks1` in resource group `aks1`, westeurope, tier Free\n"
        "  3 nodes of size Standard_D2s_v5, up to 6 by the autoscaler\n  nodes' system `Ubuntu2204` (its nodes run "
        "containerd 1.7"
    ) in done.err
    assert "to be made in Azure: registry `acme1` in resource group `aks1`, westeurope, tier Basic" in done.err
    assert "error: there is no AKS cluster `aks1`\nerror: there is no container registry `acme1`\n" in done.err
    assert "`--create-cluster` makes `aks1`" in done.err
    assert "`--create-registry` makes `acme1`" in done.err
    assert [] == cloud.changes()


@pytest.mark.parametrize(
    ("flags", "environment"),
    [
        ((), {}),
        (("--no-input",), {}),
        (("-y",), {}),
        ((), {"CI": "true"}),
        (("--attach-acr",), {}),
        (("-y",), {"CI": "1"}),
    ],
)
def test_nothing_is_made_unless_a_flag_says_so(
    fresh: App, cloud: Cloud, flags: tuple[str, ...], environment: dict[str, str]
) -> None:
    done = fresh.run("up", *NAMED, *flags, **environment)

    assert (1, []) == (done.code, cloud.changes())
    assert "error: there is no AKS cluster `aks1`" in done.err


@pytest.mark.parametrize(
    ("flag", "lacking"),
    [("--create-registry", "AKS cluster `aks1`"), ("--create-cluster", "container registry `acme1`")],
)
def test_a_flag_for_one_makes_neither_while_the_other_may_not_be_made(
    fresh: App, cloud: Cloud, flag: str, lacking: str
) -> None:
    done = fresh.run("up", *NAMED, flag)

    assert (1, []) == (done.code, cloud.changes())
    assert f"error: there is no {lacking}\n" in done.err


def test_a_registry_alone_is_made_and_no_cluster(fresh: App, cloud: Cloud) -> None:
    done = fresh.ok("push", "--registry", "acme1", "--create-registry")

    assert [("acme1", "acme1")] == there(cloud)
    assert done.out.startswith("acme1.azurecr.io/tiny:")


@pytest.mark.parametrize("keys", ["n\n", "\n", CTRL_D])
def test_a_question_that_is_not_answered_with_yes_makes_nothing(fresh: App, cloud: Cloud, keys: str) -> None:
    with at_terminal(fresh, "run", "resources", *NAMED) as typist:
        typist.sees("to be made in Azure: AKS cluster `aks1`")
        typist.sees("to be made in Azure: registry `acme1`")
        typist.sees(QUESTION)
        typist.types(keys)
        code = typist.leaves()

    assert (1, []) == (code, cloud.changes())
    assert "error: there is no AKS cluster `aks1`" in typist.seen


def test_ctrl_c_at_the_question_makes_nothing(fresh: App, cloud: Cloud) -> None:
    with at_terminal(fresh, "run", "resources", *NAMED) as typist:
        typist.sees(QUESTION)
        typist.types(CTRL_C)
        code = typist.leaves()

    assert (130, []) == (code, cloud.changes())
    assert "Traceback" not in typist.seen


def test_yes_at_the_questions_makes_what_was_shown_and_grants_what_is_missing(fresh: App, cloud: Cloud) -> None:
    with at_terminal(fresh, "run", "access", *NAMED) as typist:
        typist.sees(QUESTION)
        typist.types("y\n")
        typist.sees("to be given in Azure: `AcrPull` at ")
        typist.sees("Give it? [Y/n] ")
        typist.types("y\n")
        code = typist.leaves()

    assert 0 == code
    assert [("aks1", "aks1"), ("aks1", "acme1")] == there(cloud)
    assert 1 == len(cloud.pulls())


def test_a_flag_leaves_only_the_question_about_the_other(fresh: App, cloud: Cloud) -> None:
    with at_terminal(fresh, "run", "resources", *NAMED, "--create-registry") as typist:
        typist.sees("That costs money. Make cluster `aks1`? [y/N] ")
        typist.types("n\n")
        code = typist.leaves()

    assert (1, []) == (code, cloud.changes())


def test_a_role_is_not_given_when_the_answer_is_no(fresh: App, cloud: Cloud) -> None:
    with at_terminal(fresh, "run", "access", *NAMED, "--create") as typist:
        typist.sees("Give it? [Y/n] ")
        typist.types("n\n")
        code = typist.leaves()

    assert (1, []) == (code, cloud.pulls())
    assert f"is needed so that {PULL}" in typist.seen.replace("\n", " ")


def test_yes_by_flag_gives_access_but_makes_nothing(fresh: App, cloud: Cloud) -> None:
    cloud.cluster("mine", "aks1")
    cloud.registry("mine", "acme1")
    begin = len(cloud.asked())

    fresh.ok("run", "access", *NAMED, "-y")

    assert ["PUT"] == [method for method, _ in cloud.changes(begin)]
    assert 1 == len(cloud.pulls())


def test_the_grants_are_printed_as_made_then_as_present(fresh: App, cloud: Cloud) -> None:
    first = fresh.ok("run", "access", *NAMED, *ALL, "--output", "json")
    second = fresh.ok("run", "access", *NAMED, "--output", "json")

    kubelet = cloud.every(CLUSTERS)[0]["properties"]["identityProfile"]["kubeletidentity"]["objectId"]
    grant = {"what": PULL, "scope": REGISTRY_ID, "principal_id": kubelet, "role": "AcrPull"}
    assert {"grants": [{**grant, "state": "made"}]} == first.json
    assert {"grants": [{**grant, "state": "present"}]} == second.json


def test_a_grant_of_another_hand_is_present(fresh: App, cloud: Cloud) -> None:
    fresh.ok("run", "access", *NAMED, *ALL)
    (fresh.root / ".spin-aks/default/access.json").unlink()
    begin = len(cloud.asked())

    again = fresh.ok("run", "access", *NAMED, "--output", "json")

    assert ["present"] == [grant["state"] for grant in again.json["grants"]]
    assert [] == cloud.changes(begin)


def test_a_grant_that_may_not_be_given_is_printed_as_missing_and_fails(fresh: App, cloud: Cloud) -> None:
    done = fresh.run("run", "access", *NAMED, "--create", "--output", "json")

    assert (1, ["missing"]) == (done.code, [grant["state"] for grant in done.json["grants"]])
    assert [] == cloud.pulls()
    assert f"error: {REGISTRY_ID}: `AcrPull` is missing, which is needed so that {PULL}\n" in done.err
    kubelet = done.json["grants"][0]["principal_id"]
    assert (
        "hint: `--attach-acr` gives the role `AcrPull`; or have somebody who may: `az role assignment create "
        f'--assignee-object-id {kubelet} --assignee-principal-type ServicePrincipal --role "AcrPull" --scope '
        f"{REGISTRY_ID}`\n"
    ) in done.err


def test_a_stage_that_has_no_document_prints_none(fresh: App) -> None:
    done = fresh.run("run", "resources", *NAMED, "--output", "json")

    assert (3, "") == (done.code, done.out)
    assert (
        "error: no document tells of resources\n"
        "hint: `spin-aks run access --output json` has one, and `spin-aks push --output json`\n"
    ) == done.err


def test_a_role_assignment_that_somebody_deleted_is_put_back(fresh: App, cloud: Cloud) -> None:
    fresh.ok("up", *NAMED, *ALL)
    cloud.delete(cloud.pulls()[0], ASSIGNMENTS)
    unseen = fresh.ok("up", *NAMED)
    begin = len(cloud.asked())

    listed = fresh.ok("list", *NAMED, "--refresh")
    done = fresh.ok("up", *NAMED, "--refresh")

    assert [] == unseen.stages("run")
    assert f"it is no longer so that {PULL}" in listed.out
    assert "to be given in Azure again: `AcrPull` at " in done.err
    assert ["access"] == done.stages("done")
    assert 1 == len(cloud.pulls())
    assert ["PUT"] == [method for method, _ in cloud.changes(begin)]


def test_a_right_that_was_given_by_another_hand_is_given_again_only_when_told(fresh: App, cloud: Cloud) -> None:
    fresh.ok("up", *NAMED, *ALL)
    (fresh.root / ".spin-aks/default/access.json").unlink()
    fresh.ok("up", *NAMED)
    cloud.delete(cloud.pulls()[0], ASSIGNMENTS)

    noticed = fresh.run("up", *NAMED, "--refresh")

    assert (1, ["access"], []) == (noticed.code, noticed.stages("failed"), cloud.pulls())
    assert f"is needed so that {PULL}" in noticed.err


def test_a_cluster_that_somebody_deleted_is_noticed_and_made_again_only_when_told(fresh: App, cloud: Cloud) -> None:
    fresh.ok("up", *NAMED, *ALL)
    cloud.delete(cloud.every(CLUSTERS)[0], CLUSTERS)
    begin = len(cloud.asked())

    noticed = fresh.run("up", *NAMED, "--refresh")
    changed = cloud.changes(begin)
    done = fresh.ok("up", *NAMED, "--refresh", *ALL)

    assert (1, []) == (noticed.code, changed)
    assert "run     resources: there is no cluster `aks1` in Azure any more" in noticed.err
    assert "error: there is no AKS cluster `aks1`" in noticed.err
    assert {"resources", "access", "apply"} <= set(done.stages("done"))
    kubelet = cloud.every(CLUSTERS)[0]["properties"]["identityProfile"]["kubeletidentity"]["objectId"]
    assert kubelet in [one["properties"]["principalId"] for one in cloud.pulls()]


def test_a_cluster_that_is_being_deleted_is_noticed_and_waited_for(fresh: App, cloud: Cloud) -> None:
    fresh.ok("up", *NAMED, *ALL)
    cloud.trouble('method = "DELETE"\npath = "*/managedClusters/*"\nslow_s = 6')
    cloud.send("DELETE", "/resourceGroups/aks1/providers/Microsoft.ContainerService/managedClusters/aks1", CLUSTERS[1])

    listed = fresh.ok("list", *NAMED, "--refresh")
    done = fresh.run("up", *NAMED, "--refresh")

    sentence = "the cluster `aks1` in Azure is being deleted"
    assert sentence in listed.out
    assert f"run     resources: {sentence}\n" in done.err
    assert (1, ["resources"]) == (done.code, done.stages("failed"))
    assert "can't use cluster `aks1`: it was deleting, and is gone\n" in done.err


def test_a_registry_that_somebody_deleted_is_made_filled_and_opened_again(fresh: App, cloud: Cloud) -> None:
    fresh.ok("up", *NAMED, *ALL)
    cloud.delete(cloud.every(REGISTRIES)[0], REGISTRIES)
    time.sleep(1.1)  # what Azure tells of a registry's age is in seconds

    done = fresh.ok("up", *NAMED, "--refresh", *ALL)

    assert "run     resources: there is no registry `acme1` in Azure any more" in done.err
    assert {"resources", "push", "access"} <= set(done.stages("done"))
    assert 1 == len(cloud.pulls())


def test_a_cluster_that_came_back_as_another_one_is_deployed_to_anew(fresh: App, cloud: Cloud) -> None:
    fresh.ok("up", *NAMED, *ALL)
    cloud.delete(cloud.every(CLUSTERS)[0], CLUSTERS)
    cloud.cluster("aks1", "aks1")

    refused = fresh.run("up", *NAMED, "--refresh")
    done = fresh.ok("up", *NAMED, "--refresh", "--attach-acr")

    assert 1 == refused.code
    assert "run     resources: the cluster `aks1` in Azure is another one than before" in refused.err
    assert {"access", "apply"} <= set(done.stages("done"))


FILE = """\
[cluster]
name = "aks1"
resource_group = "clusters"

[container_registry]
name = "acme1"
resource_group = "images"
"""


@pytest.fixture
def made(cloud: Cloud) -> Cloud:
    """With a cluster and a registry, each in a group of its own."""
    cloud.cluster("clusters", "aks1")
    cloud.registry("images", "acme1")
    return cloud


def test_names_come_from_the_file(fresh: App, made: Cloud) -> None:
    configure(fresh, FILE)

    done = fresh.ok("up", "--attach-acr")

    assert "image: acme1.azurecr.io/tiny:" in deployed_image(fresh)
    assert "apply" in done.stages("done")


def test_names_come_from_the_environment(fresh: App, made: Cloud) -> None:
    named = {"SPIN_AKS_CLUSTER_NAME": "aks1", "SPIN_AKS_CONTAINER_REGISTRY_NAME": "acme1"}

    fresh.ok("up", "--attach-acr", **named, SPIN_AKS_CLUSTER_SUBSCRIPTION=SUBSCRIPTION)

    assert "image: acme1.azurecr.io/tiny:" in deployed_image(fresh)


def test_names_in_other_letters_are_the_same_resources_and_run_nothing_else(fresh: App, made: Cloud) -> None:
    fresh.ok("up", *NAMED, "--attach-acr")
    begin = len(made.asked())

    done = fresh.ok("up", "--cluster", "AKS1", "--registry", "ACME1", "--cluster-resource-group", "Clusters")

    assert ["resources"] == done.stages("done")
    assert [] == made.changes(begin)


def test_a_host_by_flag_wins_over_the_files_registry(fresh: App, made: Cloud) -> None:
    configure(fresh, FILE)
    host = made.running.registry_host

    done = fresh.ok("push", "--registry", host)

    assert done.out.startswith(f"{host}/tiny:")


def test_a_registrys_name_by_flag_wins_over_the_files_host(fresh: App, made: Cloud) -> None:
    configure(fresh, '[container_registry]\nserver = "registry.example"\n')

    done = fresh.ok("push", "--registry", "acme1")

    assert done.out.startswith("acme1.azurecr.io/tiny:")


def test_a_kubeconfig_by_flag_wins_over_the_files_cluster(fresh: App, made: Cloud) -> None:
    configure(fresh, FILE)
    kubeconfig = made.running.environment["KUBECONFIG"]

    done = fresh.ok("up", "--kubeconfig", kubeconfig, "--registry", made.running.registry_host)

    assert "apply" in done.stages("done")
    assert "access" not in done.stages("done")
    assert [] == made.pulls()


def test_a_cluster_by_flag_wins_over_the_files_kubeconfig(fresh: App, made: Cloud) -> None:
    configure(fresh, '[cluster]\nkubeconfig = "/nowhere"\n\n[container_registry]\nname = "acme1"\n')

    done = fresh.ok("up", "--cluster", "aks1", "--attach-acr")

    assert {"access", "apply"} <= set(done.stages("done"))


def test_two_clusters_of_one_name_are_told_apart_by_their_group(fresh: App, made: Cloud) -> None:
    made.cluster("others", "aks1")

    refused = fresh.run("run", "resources", "--cluster", "aks1")
    done = fresh.ok("run", "resources", "--cluster", "aks1", "--cluster-resource-group", "others")

    assert 1 == refused.code
    assert "error: several AKS clusters are called `aks1`\n" in refused.err
    assert "hint: say which resource group is meant: `clusters`, `others`\n" in refused.err
    assert [] == done.stages("failed")
    assert "/resourceGroups/others/" in (fresh.root / ".spin-aks/default/azure.json").read_text()


def test_a_subscription_that_nobody_sees_is_named_with_the_way_out(fresh: App, cloud: Cloud) -> None:
    other = "11111111-2222-3333-4444-555555555555"

    done = fresh.run("run", "resources", *NAMED, "--subscription", other, *ALL)

    assert (1, []) == (done.code, cloud.changes())
    assert f"can't use subscription `{other}`: whoever signed in sees no such subscription\n" in done.err
    assert "`az account list --output table` shows yours" in done.err


def test_a_cluster_that_somebody_updates_is_waited_for_and_never_made_twice(fresh: App, made: Cloud) -> None:
    made.trouble('method = "PUT"\npath = "*/managedClusters/*"\nslow_s = 6')
    found = made.every(CLUSTERS)[0]
    made.send(
        "PUT", "/resourceGroups/clusters/providers/Microsoft.ContainerService/managedClusters/aks1", CLUSTERS[1], found
    )
    begin = len(made.asked())

    done = fresh.ok("run", "resources", "--cluster", "aks1", "--create")

    assert "use cluster `aks1`: it is being changed already, waiting for that\n" in done.err
    assert ([], [("clusters", "aks1")]) == (made.changes(begin), [placed(one) for one in made.every(CLUSTERS)])


def began(cloud: Cloud, method: str, name: str) -> None:
    """Waits until that request was answered."""
    deadline = time.monotonic() + 30
    while not any(
        one.method == method and one.place.endswith(name) and "managedClusters" in one.place for one in cloud.asked()
    ):
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_a_run_that_ends_while_a_cluster_is_made_is_taken_up_by_the_next(
    fresh: App, cloud: Cloud, number: signal.Signals
) -> None:
    cloud.trouble('method = "PUT"\npath = "*/managedClusters/*"\nslow_s = 8')
    process = fresh.start("up", *NAMED, *ALL, *fresh.flags)
    began(cloud, "PUT", "/aks1")
    os.kill(process.pid, number)
    _, err = process.communicate(timeout=30)
    begin = len(cloud.asked())

    done = fresh.ok("up", *NAMED, "--create-registry", "--attach-acr")

    assert process.returncode in (-signal.SIGKILL, 130, 143)
    assert "Traceback" not in err
    assert "cluster `aks1`: it is being made already, waiting for that\n" in done.err
    assert ("PUT", "aks1") not in cloud.changes(begin)
    assert 1 == len(cloud.every(CLUSTERS))
    assert "apply" in done.stages("done")


SECRETS = re.compile(rb"refresh_token|Bearer |eyJ[\w-]+\.eyJ|client-certificate-data|client-key-data|kind: Config")


def files_below(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())


def test_no_secret_is_said_or_kept_in_the_project(fresh: App, cloud: Cloud) -> None:
    first = fresh.ok("up", *NAMED, *ALL)
    second = fresh.ok("run", "access", *NAMED, "--refresh", "--output", "json")
    secret = cloud.environment["AZURE_CLIENT_SECRET"]
    kubeconfigs = list(files_below(fresh.cache / "spin-aks" / "clusters"))

    said = (first.out + first.err + second.out + second.err).encode()
    for text in (said, *(path.read_bytes() for path in files_below(fresh.root))):
        assert secret.encode() not in text
        assert SECRETS.search(text) is None
    assert {0o600} == {stat.S_IMODE(path.stat().st_mode) for path in kubeconfigs}
    assert 1 == sum(path.suffix == ".kubeconfig" for path in kubeconfigs)


OTHER = "0e0e0e0e-2222-4333-8444-555555555555"


def test_of_several_subscriptions_one_has_to_be_named(fresh: App, cloud: Cloud) -> None:
    cloud.subscribe(OTHER, "Other")

    done = fresh.run("run", "resources", *NAMED, *ALL)

    assert (1, []) == (done.code, cloud.changes())
    assert "error: which subscription is meant is not said\n" in done.err
    assert f"hint: `--subscription ID` says it: `Other` ({OTHER}), `Sandbox` ({SUBSCRIPTION})\n" in done.err


def test_somebody_at_a_terminal_chooses_the_subscription(fresh: App, cloud: Cloud) -> None:
    cloud.subscribe(OTHER, "Other")

    with at_terminal(fresh, "run", "resources", "--registry", "acme1", "--create-registry") as typist:
        typist.sees("1  Other")
        typist.sees("Number or part of a name: ")
        typist.types("2\n")
        code = typist.leaves()

    assert (0, [("acme1", "acme1")]) == (code, there(cloud))


def test_a_registry_in_another_subscription_serves_the_cluster(fresh: App, cloud: Cloud) -> None:
    cloud.cluster("clusters", "aks1")
    cloud.subscribe(OTHER, "Other")
    configure(
        fresh,
        f'[cluster]\nname = "aks1"\nsubscription = "{SUBSCRIPTION}"\n\n'
        f'[container_registry]\nname = "acme1"\nsubscription = "{OTHER}"\nresource_group = "images"\n',
    )

    made = fresh.ok("run", "access", "--create-registry", "--attach-acr", "--output", "json")
    again = fresh.ok("up", "--refresh")

    scope = f"/subscriptions/{OTHER}/resourceGroups/images/providers/Microsoft.ContainerRegistry/registries/acme1"
    assert [(scope, "made")] == [(grant["scope"], grant["state"]) for grant in made.json["grants"]]
    assert "apply" in again.stages("done")


def test_a_cluster_of_entra_id_is_deployed_to_without_kubelogin(fresh: App, cloud: Cloud) -> None:
    cloud.cluster("clusters", "aks1", aadProfile={"managed": True, "enableAzureRBAC": True})

    done = fresh.ok("up", *NAMED, "--create-registry", "--attach-acr", PATH="/usr/bin:/bin")

    kubeconfig = next(path for path in files_below(fresh.cache) if path.suffix == ".kubeconfig").read_text()
    assert "apply" in done.stages("done")
    assert ("token: eyJ" in kubeconfig, "kubelogin" in kubeconfig) == (True, False)


@pytest.mark.parametrize("text", ["soon\n", "2999-01-01\n", "0001-01-01T00:00:00Z"])
def test_a_kubeconfig_of_which_nobody_can_say_how_long_it_holds_is_asked_for_again(
    fresh: App, made: Cloud, text: str
) -> None:
    fresh.ok("up", *NAMED, "--attach-acr")
    note = next(path for path in files_below(fresh.cache) if path.suffix == ".ends")
    note.write_text(text)

    done = fresh.run("up", *NAMED, "--namespace", "other")

    assert (0, []) == (done.code, done.stages("failed")), done.err


@pytest.fixture
def by_repository(cloud: Cloud) -> Cloud:
    """With a cluster, and a registry whose rights are given by repository."""
    cloud.cluster("aks1", "aks1")
    body = {"sku": {"name": "Basic"}, "properties": {"roleAssignmentMode": "AbacRepositoryPermissions"}}
    cloud.made(REGISTRIES, "aks1", "acme1", body)
    return cloud


def test_of_a_registry_with_rights_by_repository_its_reader_role_is_given(fresh: App, by_repository: Cloud) -> None:
    done = fresh.ok("run", "access", *NAMED, "--attach-acr", "--output", "json")

    roles = [(grant["role"], grant["state"]) for grant in done.json["grants"]]
    assert ([("Container Registry Repository Reader", "made")], []) == (roles, by_repository.pulls())


def test_who_owns_a_registry_with_rights_by_repository_is_told_which_role_lets_them_push(
    fresh: App, by_repository: Cloud
) -> None:
    done = fresh.run("push", *NAMED)

    assert 1 == done.code
    assert (
        f"error: `acme1.azurecr.io` does not let `{CLIENT}` push to `tiny` (credentials from the sign-in to Azure)\n"
    ) in done.err
    assert (
        f"hint: an Owner of the registry can type `az role assignment create --assignee-object-id {OBJECT} "
        '--assignee-principal-type ServicePrincipal --role "Container Registry Repository Writer" --scope '
        f"{REGISTRY_ID}`; then run the same command again\n"
    ) in done.err


@pytest.mark.parametrize("refresh", [(), ("--refresh",)])
@pytest.mark.parametrize("trouble", ["gone", "stopped"])
def test_a_cluster_that_is_no_longer_meant_keeps_nothing_from_its_successor(
    fresh: App, made: Cloud, refresh: tuple[str, ...], trouble: str
) -> None:
    made.cluster("next", "aks1")
    fresh.ok("up", *NAMED, "--cluster-resource-group", "clusters", "--attach-acr")
    before = next(one for one in made.every(CLUSTERS) if "/clusters/" in one["id"])
    place = str(before["id"]).partition(SUBSCRIPTION)[2]
    if trouble == "gone":
        made.delete(before, CLUSTERS)
    else:
        made.send("POST", f"{place}/stop", CLUSTERS[1])

    done = fresh.run("up", *NAMED, "--cluster-resource-group", "next", "--attach-acr", *refresh)

    assert 0 == done.code, done.err
    assert "/resourceGroups/next/" in str(noted_azure(fresh)["cluster"]["id"])
    assert "any more" not in done.err


def noted_azure(app: App) -> Any:
    return json.loads((app.root / ".spin-aks/default/azure.json").read_text())
