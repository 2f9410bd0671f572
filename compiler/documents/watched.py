"""What Amazon's clients for S3 let pass, caught by their own events: answers of another version, lists with a gap."""

from __future__ import annotations

from typing import Any

ID = "mixc"


class Faulty(ConnectionError):
    """An answer that contradicts itself or the question; asked again, the store may know better."""


def watch(system: Any) -> None:
    """Look at every answer of a file system of S3; of another, nothing is done."""
    if "s3" not in ((system.protocol,) if isinstance(system.protocol, str) else system.protocol):
        return
    events = system.s3.meta.events  # connects
    events.register("provide-client-params.s3.GetObject", _asked, unique_id=f"{ID}-asked")
    events.register("after-call.s3.GetObject", _given, unique_id=f"{ID}-given")
    events.register("after-call.s3.ListObjectsV2", _listed, unique_id=f"{ID}-listed")


def _asked(params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
    context[ID] = params.get("IfMatch")


def _given(http_response: Any, parsed: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
    """Some stores do not know `If-Match`, and give what they have."""
    wanted, given = context.get(ID), parsed.get("ETag")
    if http_response.status_code < 300 and wanted and given and wanted.strip('"') != given.strip('"'):
        raise Faulty(f"an answer is of the version {given}, and {wanted} was asked for")


def _listed(http_response: Any, parsed: dict[str, Any], **_: Any) -> None:
    """A client that is told that there is more, and not where, takes what it has for the whole."""
    if http_response.status_code >= 300:
        return
    if parsed.get("IsTruncated") and not parsed.get("NextContinuationToken"):
        raise Faulty("a list ends before its end, and does not say where it goes on")
    there = len(parsed.get("Contents", ())) + len(parsed.get("CommonPrefixes", ()))
    if parsed.get("KeyCount", 0) > there:
        raise Faulty(f"a list of {parsed['KeyCount']} objects holds {there}")
