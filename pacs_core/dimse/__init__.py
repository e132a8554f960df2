"""DICOM over the network: the SCPs that scanners and viewers call, the SCUs that call others (PS3.7, PS3.8).

``application_entity``: ``ApplicationEntity(services, title, max_associations, idle_s)`` with ``start(host,
port) -> (host, port)``, ``stop()`` and ``associations``. Below it the SCPs: ``store_scp``, ``find_scp``,
``mwl_scp``, ``mpps_scp``, ``retrieve_scp``, ``commitment`` (both
sides); ``admission`` says who comes in, ``acceptance`` what is negotiated, ``status`` how errors are told.

``scu``, one association each::

    echo(host, port, called, calling="READINGROOM", *, timeout_s=10.0) -> None
    store(host, port, called, files, calling, *, timeout_s=15.0) -> Iterator[Sent]
        Sent(path, sop_instance_uid, kind, status, words); kind is success, warning or failure
    find(host, port, called, keys, calling, *, level="STUDY", root="study") -> list[dict]
    worklist(host, port, called, calling, *, keys=None, step=None) -> list[dict]
    move(host, port, called, destination, keys, calling, *, level="STUDY", root="study") -> Moved
    get(host, port, called, keys, folder, calling, *, level="STUDY", root="study") -> Moved

Keys and answers are mappings by keyword. Raises Busy where nobody answers, Refused where we are turned away.
``requesting.Client(client.connect(...))`` keeps one association for many requests.

The upper layer is ours (docs/decisions/0004): ``pdu``, ``commands``, ``connection``, ``association``.
"""
