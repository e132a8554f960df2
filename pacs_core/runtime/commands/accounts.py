"""`user` and `token`: accounts and bearer tokens."""

from __future__ import annotations

import argparse

from pacs_core.domain.access import Role
from pacs_core.domain.errors import NotFound
from pacs_core.runtime.commands.common import archive_options, node_archive, password_from, say, table


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the two parsers."""
    _user(commands)
    _token(commands)


def _user(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    users = commands.add_parser("user", help="accounts").add_subparsers(dest="action", required=True)
    new = users.add_parser("add", parents=[archive_options()], help="add an account")
    new.add_argument("name")
    new.add_argument("--role", required=True, choices=[r.value for r in Role])
    new.add_argument("--full-name", default="")
    new.set_defaults(run=add_user)
    listing = users.add_parser("list", parents=[archive_options()], help="accounts by name")
    listing.set_defaults(run=list_users)
    passwd = users.add_parser("passwd", parents=[archive_options()], help="set a password")
    passwd.add_argument("name")
    passwd.set_defaults(run=set_password)
    disable = users.add_parser("disable", parents=[archive_options()], help="disable an account")
    disable.add_argument("name")
    disable.set_defaults(run=disable_user)


def _token(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    tokens = commands.add_parser("token", help="bearer tokens for HTTP").add_subparsers(
        dest="action", required=True
    )
    new = tokens.add_parser("add", parents=[archive_options()], help="make a token, printed once")
    new.add_argument("name")
    new.add_argument("--role", required=True, choices=[r.value for r in Role])
    new.set_defaults(run=add_token)
    revoke = tokens.add_parser("revoke", parents=[archive_options()], help="revoke a token")
    revoke.add_argument("name")
    revoke.set_defaults(run=revoke_token)


def add_user(args: argparse.Namespace) -> int:
    """Add an account; the first one on an empty data folder is an admin whatever was asked for."""
    with node_archive(args) as archive:
        role = args.role
        if not archive.administration.users() and role != Role.ADMIN:
            role = Role.ADMIN.value
            say("the first account of a data folder is an admin")
        password = password_from(args, f"Password for {args.name}: ")
        account = archive.administration.add_user(args.name, role, password, args.full_name)
    say(f"{account.name} added as {account.role}")
    return 0


def list_users(args: argparse.Namespace) -> int:
    """Print the accounts."""
    with node_archive(args) as archive:
        rows = [
            (u.name, u.role, u.full_name, "disabled" if u.disabled else "", u.last_sign_in)
            for u in archive.administration.users()
        ]
    print(table(rows, ("NAME", "ROLE", "FULL NAME", "", "LAST SIGN-IN")))
    return 0


def set_password(args: argparse.Namespace) -> int:
    """Set a password."""
    with node_archive(args) as archive:
        if args.name not in {u.name for u in archive.administration.users()}:
            raise NotFound(f"no user {args.name}", "name")
        archive.administration.set_password(args.name, password_from(args, f"New password of {args.name}: "))
    say(f"the password of {args.name} is set; its sessions have ended")
    return 0


def disable_user(args: argparse.Namespace) -> int:
    """Disable an account."""
    with node_archive(args) as archive:
        archive.administration.disable_user(args.name)
    say(f"{args.name} is disabled")
    return 0


def add_token(args: argparse.Namespace) -> int:
    """Make a token and print its secret, once."""
    with node_archive(args) as archive:
        token = archive.administration.add_token(args.name, args.role)
    print(token.secret)
    return 0


def revoke_token(args: argparse.Namespace) -> int:
    """Revoke a token."""
    with node_archive(args) as archive:
        archive.administration.revoke_token(args.name)
    say(f"{args.name} is revoked")
    return 0
