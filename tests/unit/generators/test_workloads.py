from __future__ import annotations

import pytest

from spin_aks.errors import SpinAksError
from spin_aks.generators.documents import Document, parse
from spin_aks.generators.workloads import containers, table, template

CRON = """\
apiVersion: batch/v1
kind: CronJob
metadata: {name: nightly}
spec:
  jobTemplate:
    spec:
      template:
        spec:
          initContainers: [{name: first, image: app}]
          containers:
            - {name: sidecar, image: nginx}
            - name: second
              image: app
"""


def only(text: str) -> Document:
    (document,) = parse(text, "a.yaml")
    return document


def test_containers_are_found_by_their_image_wherever_pods_are_described() -> None:
    first, second = containers([only(CRON)], frozenset({"app"}))

    assert ("first", "second") == (first.name, second.name)
    assert "a.yaml:13" == second.where("image")
    assert "second" == second.at("name")
    assert "nginx" == second.pod_at("containers", 0, "image")


def test_an_image_with_a_tag_is_another_image() -> None:
    assert () == containers([only(CRON.replace("image: app", "image: app:1"))], frozenset({"app"}))


def test_an_object_without_pods_has_no_template() -> None:
    assert template(only("apiVersion: v1\nkind: Service\nmetadata: {name: a}\n")) is None


def test_a_table_is_made_where_there_is_none() -> None:
    document = only("apiVersion: v1\nkind: A\nmetadata: {name: a, labels: }\nspec: {list: [{x: 1}]}\n")
    table(document, ("metadata", "labels"))["b"] = "c"
    table(document, ("spec", "list", 0, "deep", "er"))["d"] = 2

    assert {"name": "a", "labels": {"b": "c"}} == document.at("metadata")
    assert {"x": 1, "deep": {"er": {"d": 2}}} == document.at("spec", "list", 0)


@pytest.mark.parametrize("pointer", [("metadata", "labels"), ("metadata", "labels", "deeper")])
def test_something_else_in_a_table_s_place_is_refused_with_its_line(pointer: tuple[str, ...]) -> None:
    document = only("apiVersion: v1\nkind: A\nmetadata:\n  name: a\n  labels: [x]\n")

    with pytest.raises(SpinAksError) as refused:
        table(document, pointer)

    assert "a.yaml:5: `metadata.labels` has to hold keys and values" == str(refused.value)
