"""The HL7 v2 door: ADT and ORM in over MLLP, ORU^R01 out to the configured destinations (docs/hl7.md).

What other rooms call; everything else is private to this one.

``sources.Sources(configured, *, open_door)``
    who may send and how its fields are read; `configured` gives the source records at each message,
    `open_door` (bound to loopback) lets unknown senders in.
``receiver.Receiver(inbound, sources, clock, *, budget_s=5.0)``
    ``receive(content, peer) -> Reply`` journals, carries out within the budget and answers; ``resume()`` at
    start takes up what a crash left; ``process(record)`` carries one out again; ``close()``.
``server.MLLPServer(receiver.receive, *, refuse=ack.refusal, limits=None, tls=None, executor=None)``
    on the io loop: ``await start(host, port) -> (host, port)``, ``await stop(grace_s)``; `connections`.
``sender.MLLPTransmitter(clock, *, connect_s, answer_s, sending_facility, tls)``
    the `ports.Transmitter`: `render`, `send`, and ``close()``.
``client.MLLPClient``, ``message.Message``, ``mllp.frame``, ``mllp.FrameDecoder``, ``escapes.escape``
    for the simulated RIS and tools.
"""
