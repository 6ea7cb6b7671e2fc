"""HCPCS by the names of everyday: brands of drugs, equipment, services."""

from __future__ import annotations

from pathlib import Path

import pytest

import codesearch
from codesearch.evaluate import evaluate, read_qrels, read_queries, search_all

HERE = Path(__file__).parent
REAL = HERE.parents[2] / "shared" / "data"
FLOORS = {
    "hcpcs": {"brand": 0.92, "item": 0.77, "service": 0.92},
    "hcpcs-2": {"brand": 0.88, "item": 0.86, "service": 0.94},
}
"""By set, the least MRR of each class."""

CODES = """system,code,name
HCPCS,J1885,"Injection, ketorolac tromethamine, per 15 mg"
HCPCS,J0585,"Injection, onabotulinumtoxina, 1 unit"
HCPCS,J3420,"Injection, vitamin b-12 cyanocobalamin, up to 1000 mcg"
HCPCS,J1439,"Injection, ferric carboxymaltose, 1 mg"
HCPCS,E0601,Continuous positive airway pressure (cpap) device
HCPCS,A7037,Tubing used with positive airway pressure device
HCPCS,E0118,"Crutch substitute, lower leg platform, with or without wheels, each"
HCPCS,E0143,"Walker, folding, wheeled, adjustable or fixed height"
HCPCS,E2402,"Negative pressure wound therapy electrical pump, stationary or portable"
HCPCS,A0431,"Ambulance service, conventional air services, transport, one way (rotary wing)"
HCPCS,G0008,Administration of influenza virus vaccine
HCPCS,T4521,"Adult sized disposable incontinence product, brief/diaper, small, each"
"""
WORDS = {
    "toradol shot": "J1885", "botox": "J0585", "b12 shot": "J3420", "injectafer": "J1439", "cpap machine": "E0601",
    "cpap hose": "A7037", "knee scooter": "E0118", "rolling walker": "E0143", "wound vac": "E2402",
    "helicopter ambulance": "A0431", "flu shot": "G0008", "adult diapers": "T4521",
}  # fmt: skip


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index of a few codes."""
    folder = tmp_path_factory.mktemp("few")
    (folder / "few.csv").write_text(CODES, encoding="utf-8")
    codesearch.reindex([folder / "few.csv"], folder / "index")
    return folder / "index"


@pytest.mark.parametrize(("words", "code"), WORDS.items())
def test_names_of_everyday_find_codes(few: Path, words: str, code: str) -> None:
    with codesearch.open_index(few) as opened:
        assert opened.search(words).hits[0].code == code


def test_names_of_everyday_are_told_as_rewrites(few: Path) -> None:
    with codesearch.open_index(few) as opened:
        assert [rewrite.used for rewrite in opened.search("toradol").rewrites] == ["ketorolac"]
        assert not opened.search("toradol", exact=True).hits


@pytest.fixture(scope="module")
def official(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index of the official file."""
    if not REAL.is_dir():
        pytest.skip("the official files do not lie in ../shared/data")
    folder = tmp_path_factory.mktemp("official")
    codesearch.reindex([next(REAL.glob("HCPC*ANWEB.txt"))], folder)
    return folder


@pytest.mark.parametrize(("name", "floors"), FLOORS.items())
def test_the_ranking_of_hcpcs_reaches_its_floors(name: str, floors: dict[str, float], official: Path) -> None:
    queries = read_queries(HERE / f"{name}.queries.tsv")
    with codesearch.open_index(official) as opened:
        found = evaluate(queries, read_qrels(HERE / f"{name}.qrels.tsv"), search_all(opened, queries))
    reached = {means.query_class: means.mrr for means in found.classes if means.query_class != "all"}
    assert reached.keys() == floors.keys()
    assert {name: mrr for name, mrr in reached.items() if mrr < floors[name]} == {}
