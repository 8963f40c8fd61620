"""The keeper: one small process per target, which makes the target's process tree its own.

`main` is what runs as that process and `program` what it does; `client` is the side of it inside sockcheck. It is a
process of its own because a tree can only be owned by a process that does nothing else: the reaping of orphans would
steal the status of other children, and a parent-death signal follows the thread that started the child, not the
process.
"""
