"""Objects that go by Python's collector alone must not keep by their signals those who listened to them."""

from __future__ import annotations

from PySide6.QtCore import QMetaMethod, QObject


def let_go(*senders: QObject) -> None:
    """Disconnect everybody from every signal these objects have of their own.

    A function that listens is held by the bindings inside the connection, where Python's collector does not
    look: an object without an owner in Qt and a listener that leads back to it would hold each other for
    ever. The objects stay valid for threads that still hold them.
    """
    for sender in senders:
        kind = sender.metaObject()
        for number in range(QObject().metaObject().methodCount(), kind.methodCount()):
            method = kind.method(number)
            if method.methodType() is QMetaMethod.MethodType.Signal and sender.isSignalConnected(method):
                getattr(sender, bytes(method.name().data()).decode()).disconnect()
