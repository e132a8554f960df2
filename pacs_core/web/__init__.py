"""The HTTP doors: DICOMweb, the archive's own API, health and metrics (PS3.18; contract.md, Addresses).

Nothing is imported here; ``runtime`` imports what it needs when it opens the port::

    from pacs_core.web.app import WebSettings, make_app, uvicorn_options
    app = make_app(node: WebNode, settings: WebSettings | None = None, parts=PARTS)     # an ASGI application
    app.begin_shutdown()                  # lets streams and long polls end, before the server is stopped
    uvicorn_options() -> dict             # keyword arguments of uvicorn.Config that belong to it

    from pacs_core.web.node import WebNode, Metric               # what the doors need, handed in by runtime

``WebNode`` (plain blocking methods; the doors run them in a bounded executor)::

    access, querying, retrieving, storing                the services of those names
    check_secret(secret) -> bool          the random secret of this start of the core, in constant time
    owner(address) -> Actor               who shows the secret without a bearer: the data folder's owner
    sign_in_facts() -> m.SignIn
    archive(actor, shares_disk) -> Archive               LocalFile locators only where `shares_disk`
    wait_for_change(after, timeout_s) -> int             newest sequence, at once where it is beyond `after`
    checks() -> tuple[m.Check, ...]       readiness; a ``fail`` makes the node not ready (503)
    metrics() -> Iterable[Metric]         Metric(name, help, value, labels=())

HTTP, fixed for clients: ``Authorization: Bearer …`` (a session from ``POST /api/v1/session`` or a token) on
every path but ``GET /health``; the workstation shows ``X-Reading-Room-Secret`` beside it. A caller that shows
the secret shares the disk. Failures are RFC 9457 problems (``pacs_core.archive.problems``).
"""
