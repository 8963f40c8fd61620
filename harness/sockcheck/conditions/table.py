"""The conditions, in the order in which their cases are planned: what is simple comes first."""

from __future__ import annotations

from sockcheck.conditions import (
    churning,
    crowds,
    cutting,
    ending,
    leaving,
    limiting,
    living,
    merging,
    neighbours,
    sizing,
    timing,
)
from sockcheck.conditions.base import Condition

TABLE: tuple[Condition, ...] = (
    Condition("plain.again", living.again),
    Condition("cut.at-k", cutting.at_each_byte),
    Condition("cut.every-byte", cutting.every_byte),
    Condition("merge.sends", merging.sends),
    Condition("merge.pipeline", merging.pipeline, ("pipelining",)),
    Condition("merge.with-end", merging.with_end, ("half-close",)),
    Condition("merge.before-accept", merging.before_accept, starts=True),
    Condition("pace.slow", cutting.slowly),
    Condition("size.edges", sizing.edges),
    Condition("size.large", sizing.large),
    Condition("end.half", sizing.half, ("half-close",)),
    Condition("end.orderly", ending.orderly, ("orderly-close",)),
    Condition("leave.close-at-k", leaving.by_close),
    Condition("leave.reset-at-k", leaving.by_reset, ("survives-reset",)),
    Condition("neighbour.idle", neighbours.idle, ("clients",)),
    Condition("neighbour.stalled", neighbours.stalled, ("clients",)),
    Condition("neighbour.deaf", neighbours.deaf, ("clients", "survives-reset")),
    Condition("neighbour.fails", neighbours.fails, ("clients",)),
    Condition("crowd.at-once", crowds.at_once, ("clients",)),
    Condition("crowd.interleaved", crowds.interleaved, ("clients",)),
    Condition("crowd.queued", crowds.queued, starts=True),
    Condition("crowd.backlog", crowds.backlog, ("backlog",), once=True, starts=True),
    Condition("crowd.many", crowds.many, ("clients",), standard=False, once=True, starts=True),
    Condition("churn.spin", churning.spin, once=True, starts=True),
    Condition("churn.leak", churning.leak, once=True),
    Condition("limit.endless", limiting.endless, ("bounded-input",), once=True, starts=True),
    Condition("limit.files", limiting.files, ("clients",), standard=False, once=True, starts=True),
    Condition("limit.garbage", limiting.garbage, once=True),
    Condition("time.idle", timing.idle, ("idle-close",), once=True),
    Condition("time.prompt", timing.prompt, ("prompt",), once=True),
    Condition("life.restart", living.restart, ("restart",), once=True, starts=True),
    Condition("life.stop", living.stop, ("stops-on-sigterm",), once=True, starts=True),
    Condition("life.drain", living.drain, ("drains",), standard=False, once=True, starts=True),
    Condition("life.taken", living.taken, ("reports-bind-error",), standard=False, once=True, starts=True),
    Condition("host.any", living.anywhere, standard=False, once=True),
)
"""`datagram.whole` is missing: there are no datagrams yet."""
