"""The HL7 v2 door: ADT and ORM in over MLLP, ORU^R01 out to the configured destinations.

What other rooms call (everything else is private to this one):

``server.MLLPServer(handle, *, refuse, limits=Limits(), tls=None)``
    asyncio server on the io loop. ``await start(host, port) -> (host, port)``, ``await stop(grace_s)``.
    ``handle(content: bytes, peer: Peer) -> Reply`` is synchronous and runs in the server's own bounded
    executor; ``refuse(head: bytes, reason: str) -> bytes`` renders the AR of a frame without end, without
    start or over the limit (`ack.refusal`).
``receiver.Receiver(...)``
    ``receive(content, peer) -> Reply`` journals, processes within the budget and answers; that is what
    `MLLPServer` is given as its handler. ``process(message_id)`` runs a journalled message again (start after
    a crash; a person's "process again").
``sources.Source`` / ``field_map.FieldMap.load(path | None)``
    who may send and how its fields are read; ``resources/hl7_maps/default.toml`` with a source's
    own file on top.
``message.Message.parse(raw, default_charset)``
    the light reader; ``message.text("PID-3.4")`` is None where empty, ``""`` where the sender wrote ``""``.
``interpret.interpret(message, field_map, zone) -> Interpretation``
    message to commands of `pacs_core.domain` (`RegisterPatient`, `MergePatients`, `PlaceOrder`,
    `CancelOrder`), with the reasons why (parts of) it must wait for a person.
``oru.render(result, profile) -> bytes``
    ORU^R01 2.5.1, built and validated with hl7apy; rendered once and kept by the caller.
``sender.MLLPTransmitter``
    the `Transmitter` port: one persistent connection a destination; acknowledged, refused or silent.
"""
