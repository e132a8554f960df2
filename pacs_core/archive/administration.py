"""The administrator's part of the archive: peers, accounts, settings and the node."""

from __future__ import annotations

import json
from collections.abc import Mapping

from pacs_core.archive import models as m
from pacs_core.archive import views as v
from pacs_core.archive.part import Part
from pacs_core.domain.access import OWNER
from pacs_core.domain.errors import Denied
from pacs_core.domain.rehearsal import ISSUER


class Administration(Part):
    """Implements `protocol.Administration`."""

    def node(self) -> m.NodeInfo:
        return self.facts.info()

    def stop(self) -> None:
        if self.actor.name != OWNER or not self.local_files:
            raise Denied("only the owner of the data folder ends its node", "node")
        self.services.access.note(self.actor, "stop", "node")
        self.facts.stop_soon()

    def peers(self) -> tuple[m.Peer, ...]:
        return tuple(v.peer_view(peer) for peer in self.services.configuring.peers())

    def save_peer(self, peer: m.Peer) -> m.Peer:
        return v.peer_view(self.services.configuring.save_peer(v.peer_record(peer), self.actor.name))

    def remove_peer(self, title: str) -> None:
        self.services.configuring.remove_peer(title, self.actor.name)

    def echo(self, title: str) -> m.Check:
        return self.facts.echo(title)

    def hl7_sources(self) -> tuple[m.Hl7Source, ...]:
        return tuple(v.source_view(source) for source in self.services.configuring.sources())

    def save_hl7_source(self, source: m.Hl7Source) -> m.Hl7Source:
        self.facts.check_field_map(source.field_map)
        return v.source_view(self.services.configuring.save_source(v.source_record(source), self.actor.name))

    def remove_hl7_source(self, name: str) -> None:
        self.services.configuring.remove_source(name, self.actor.name)

    def destinations(self) -> tuple[m.Destination, ...]:
        return tuple(v.destination_view(d) for d in self.services.configuring.destinations())

    def save_destination(self, destination: m.Destination) -> m.Destination:
        record = v.destination_record(destination)
        return v.destination_view(self.services.configuring.save_destination(record, self.actor.name))

    def remove_destination(self, name: str) -> None:
        self.services.configuring.remove_destination(name, self.actor.name)

    def users(self) -> tuple[m.Account, ...]:
        return tuple(v.account_view(a) for a in self.services.access.accounts())

    def add_user(self, name: str, role: str, password: str, full_name: str = "") -> m.Account:
        return v.account_view(
            self.services.access.add_account(name, role, password, full_name, self.actor.name)
        )

    def set_password(self, name: str, password: str) -> None:
        self.services.access.set_password(name, password, self.actor.name)

    def disable_user(self, name: str, disabled: bool = True) -> m.Account:
        return v.account_view(self.services.access.disable(name, disabled, self.actor.name))

    def tokens(self) -> tuple[m.TokenView, ...]:
        return tuple(v.token_view(t) for t in self.services.access.tokens())

    def add_token(self, name: str, role: str) -> m.TokenView:
        secret, record = self.services.access.add_token(name, role, self.actor.name)
        return v.token_view(record, secret)

    def revoke_token(self, name: str) -> None:
        self.services.access.revoke_token(name, self.actor.name)

    def settings(self) -> tuple[m.Setting, ...]:
        return self.facts.settings_list()

    def save_settings(self, values: Mapping[str, object]) -> tuple[m.Setting, ...]:
        after = self.facts.save_settings(values)
        told = {s.key: s.value for s in after if s.key in values}
        self.services.configuring.settings_saved(told, self.actor.name)
        self.services.access.note(self.actor, "change settings", "settings", detail=json.dumps(told))
        return after

    def begin_rehearsal(self, hl7_host: str, dicom_host: str) -> m.Rehearsal:
        begun = self.services.rehearsing.begin(hl7_host, dicom_host, self.actor)
        return m.Rehearsal(begun.name, begun.password, ISSUER)

    def end_rehearsal(self) -> m.RehearsalRemoved:
        return m.RehearsalRemoved(self.services.rehearsing.end(self.actor.name).rows)

    def audit(self, before: int = 0, limit: int = 200) -> tuple[m.AuditRow, ...]:
        with self.services.index.read() as tx:
            return tuple(v.audit_view(row) for row in tx.audit.before(before, min(limit, 1000)))
