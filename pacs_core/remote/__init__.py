"""The archive of another process or machine, over HTTP: satisfies ``archive.protocol`` by its routes alone.

::

    from pacs_core.remote.archive import RemoteDoor
    door = RemoteDoor(url, secret="", find=None, patience_s=8.0, verify=True)     # satisfies Door
    door.sign_in_facts() -> m.SignIn             needs the core's secret
    door.sign_in(name, password) -> Archive      raises NotSignedIn, LockedOut (retry_after)
    door.with_token(bearer) -> Archive           a session or token that exists already
    door.as_owner() -> Archive                   by the core's secret alone: the data folder's owner
    door.close()

`find` is asked again for ``(url, secret)`` whenever the core cannot be reached, so a restarted core is found
on its new port with its new secret; sessions are rows in its database and go on. Calls wait up to
`patience_s` for a core that is not there and then raise Busy. A call that changes something is repeated only
when it cannot have arrived; otherwise it raises StorageFailure saying that its outcome is unknown.
"""
