"""Every error that codesearch raises on purpose.

    CodesearchError
    +-- UsageError            the call is wrong: a bad option, an unknown system          (exit 2)
    |   +-- UnknownCodeError      the index has no such code                              (exit 1)
    +-- ConfigError           a file in ingest/ or index/ is wrong                        (exit 2)
    +-- SourceError           a source given to reindex cannot be read at all             (exit 2)
    +-- IndexUnusableError    something is wrong with an index                            (exit 3)
    |   +-- IndexMissingError     there is none at that place
    |   +-- IndexCorruptError     a file is missing, cut or changed
    |   +-- UntrustedIndexError   it holds what no index of ours would hold
    |   +-- IndexLockedError      another process is building it
    +-- PublishRefused        built, but not published: too much was rejected or lost     (exit 4)

Each message names the input, the reason and the next step; `exit_status` is what the command line returns.
"""

from __future__ import annotations


class CodesearchError(Exception):
    """Base of all errors of codesearch: the input it is about, the reason, and the next step."""

    exit_status = 2

    def __init__(self, subject: str, reason: str, next_step: str) -> None:
        super().__init__(f"{subject}: {reason}. {next_step}")
        self.subject = subject
        self.reason = reason
        self.next_step = next_step


class UsageError(CodesearchError):
    """The call itself is wrong."""


class UnknownCodeError(UsageError):
    """The index has no such code: nothing found, as far as the command line goes."""

    exit_status = 1


class ConfigError(CodesearchError):
    """A configuration file is wrong."""


class SourceError(CodesearchError):
    """A source given to reindex cannot be read at all."""


class IndexUnusableError(CodesearchError):
    """Something is wrong with an index."""

    exit_status = 3


class IndexMissingError(IndexUnusableError):
    """There is no index at that place."""


class IndexCorruptError(IndexUnusableError):
    """A file of the index is missing, cut or changed."""


class UntrustedIndexError(IndexUnusableError):
    """The index holds something that no index of ours would hold."""


class IndexLockedError(IndexUnusableError):
    """Another process is building this index."""


class PublishRefused(CodesearchError):
    """The build finished, but was not published: too many inputs were rejected, or too many codes lost."""

    exit_status = 4
    report: object = None
    """The `ReindexReport` of the build that was not published."""
