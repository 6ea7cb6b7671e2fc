"""What an index is built with: the files of `index/`, read together, and kept in the manifest of every generation."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from codesearch.config import read_toml
from codesearch.errors import ConfigError, IndexCorruptError
from codesearch.index.analysis import AnalysisConfig, Analyzer
from codesearch.index.fields import Fields, FieldsConfig, Weight, mistake_in
from codesearch.index.ranking import RankingConfig
from codesearch.index.synonyms import Rule, read_rules
from codesearch.records import learnt


class IndexConfig(msgspec.Struct, frozen=True):
    """The configuration of an index as plain data."""

    fields: FieldsConfig
    analysis: AnalysisConfig
    ranking: RankingConfig


class IndexSettings(NamedTuple):
    """The configuration of an index, ready for use; `rules` (synonyms) are only there when building."""

    config: IndexConfig
    fields: Fields
    rules: tuple[Rule, ...] = ()

    @property
    def analysis(self) -> AnalysisConfig:
        """How text becomes terms."""
        return self.config.analysis

    @property
    def ranking(self) -> RankingConfig:
        """How a match is weighed."""
        return self.config.ranking

    def frozen(self) -> dict[str, Any]:
        """The configuration as it goes into a manifest."""
        plain: dict[str, Any] = msgspec.to_builtins(_FrozenConfig.of(self.config))
        return plain


class _FrozenFields(msgspec.Struct, forbid_unknown_fields=True):
    """`FieldsConfig` as pairs: fields are numbered in their order, and a JSON object does not keep one."""

    version: int
    title: list[tuple[str, Weight]]
    clinical: list[tuple[str, Weight]]
    unscored: list[tuple[str, Weight]]
    keywords: list[tuple[str, str]]


@learnt
class _FrozenConfig(msgspec.Struct):
    """`IndexConfig` as it stands in a manifest."""

    fields: _FrozenFields
    analysis: AnalysisConfig
    ranking: RankingConfig

    @classmethod
    def of(cls, config: IndexConfig) -> _FrozenConfig:
        fields = config.fields
        pairs = _FrozenFields(
            version=fields.version,
            title=list(fields.title.items()),
            clinical=list(fields.clinical.items()),
            unscored=list(fields.unscored.items()),
            keywords=list(fields.keywords.items()),
        )
        return cls(pairs, config.analysis, config.ranking)

    def thawed(self) -> IndexConfig:
        fields = self.fields
        config = FieldsConfig(
            version=fields.version,
            title=dict(fields.title),
            clinical=dict(fields.clinical),
            unscored=dict(fields.unscored),
            keywords=dict(fields.keywords),
        )
        return IndexConfig(config, self.analysis, self.ranking)


def read_settings(folder: Path) -> IndexSettings:
    """The settings in a folder such as `index/`.

    Raises:
        ConfigError: a file is missing or wrong.
    """
    config = IndexConfig(
        fields=read_toml(folder / "fields.toml", FieldsConfig),
        analysis=read_toml(folder / "analysis.toml", AnalysisConfig),
        ranking=read_toml(folder / "ranking.toml", RankingConfig),
    )
    mistake = mistake_in(config.fields) or _mistake_in_analysis(config.analysis)
    if mistake:
        raise ConfigError(str(folder), mistake, "Correct fields.toml or analysis.toml: see the README beside them.")
    rules = read_rules(folder / "synonyms", config.ranking.classes)
    return IndexSettings(config, Fields.of(config.fields), tuple(rules))


def thaw_settings(frozen: dict[str, Any], path: Path) -> IndexSettings:
    """The settings of a manifest.

    Raises:
        IndexCorruptError: they are not what this version of codesearch freezes.
    """
    try:
        msgspec.json.encode(frozen)  # the manifest may hold halves of characters, in names of files
        config = msgspec.convert(frozen, _FrozenConfig).thawed()
    except (msgspec.ValidationError, UnicodeEncodeError, RecursionError) as error:
        raise IndexCorruptError(str(path), f"has a foreign configuration ({error})", "Rebuild the index.") from error
    mistake = mistake_in(config.fields) or _mistake_in_analysis(config.analysis)
    if mistake:
        raise IndexCorruptError(str(path), f"has a foreign configuration ({mistake})", "Rebuild the index.")
    return IndexSettings(config, Fields.of(config.fields))


def _mistake_in_analysis(config: AnalysisConfig) -> str:
    """What is wrong with the expressions and the shorthand of the analysis; empty where nothing is."""
    if signs := next((signs for signs in config.shorthand if "," in signs), ""):
        return f"the shorthand {signs!r} holds a comma, at which texts are taken apart"
    try:
        Analyzer(config)
        for rule in config.spellings:
            re.sub(rule.pattern, rule.replacement, "")
    except (re.error, IndexError, OverflowError, RecursionError) as error:
        return f"a pattern cannot be used ({error})"
    return ""
