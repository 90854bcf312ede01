"""Members: registration, profile, PIN, sessions, enrolled phones; and what is not theirs."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from random import Random
from typing import TYPE_CHECKING, Any, ClassVar

from ..journal import Request
from ..signing import read_secret
from ..world import Member, Op, Phone, encode
from . import Domain, Operation
from .codes import CODE
from .pos import Pos

if TYPE_CHECKING:
    from ..oracle import Books

AT_ONCE = 16
WITH_PIN = 3
"""Every third member sets a payment PIN."""


class Members(Domain):
    """Everybody registers first; from then on they change things of their own."""

    order: ClassVar[int] = 10

    @property
    def operations(self) -> Sequence[Operation]:
        """What phones do besides paying."""
        return (
            Operation("profile", 3, self.look),
            Operation("profile change", 2, self.change),
            Operation("phone list", 1, self.list_phones),
            Operation("phone change", 1.5, self.change_phone),
            Operation("session change", 1, self.change_session),
            Operation("PIN", 0.5, self.change_pin),
            Operation("nonsense", 1.5, self.talk_nonsense),
        )

    async def prepare(self) -> None:
        """Register everybody and enrol their phones."""
        gate = asyncio.Semaphore(AT_ONCE)

        async def register(member: Member) -> None:
            async with gate:
                await self._register(member)

        await asyncio.gather(*(register(member) for member in self.world.members))

    async def join(self, member: Member) -> None:
        """Register somebody who is not among the members of the start, and enrol their phones."""
        await self._register(member)

    async def _register(self, member: Member) -> None:
        op = Op(-1 - member.number, "register", Random(f"{self.world.seed}:register:{member.number}"))
        await self.world.renew_member(member, member.access)
        body = {
            "phone_code": f"phone-{member.number_called}",
            "name": f"会员{member.number}",
            "store_id": member.home,
            "consents": ["terms", "privacy"],
        }
        register = self._request(member, "POST", "/v1/member/register", body)
        answer = await self.world.ask(op, register, refusals=frozenset({"already_registered"}))
        if not answer.good:  # done before, and the answer was lost
            answer = await self.world.ask(op, self._request(member, "GET", "/v1/member/profile"))
        member.id, member.member_no = int(answer.json["id"]), answer.json["member_no"]
        for _ in range(self.world.phones_each):
            await self._enrol(op, member)
        if member.number % WITH_PIN == 0:
            pin = f"{member.number % 10**6:06d}"
            # Refused where it was set before, and the answer was lost.
            set_first = self._request(member, "PUT", "/v1/member/pin", {"pin": pin})
            await self.world.ask(op, set_first, refusals=frozenset({"pin_required"}))
            member.pin = pin

    async def _enrol(self, op: Op, member: Member) -> None:
        def accept(made: Any) -> None:
            member.phones.append(Phone(made["device_id"], made["handle"], read_secret(made["secret"])))

        request = self._request(member, "POST", "/v1/member/devices", {"name": "手机"})
        await self.world.ask(op, request, accept=accept, refusals=frozenset({"too_many_devices"}))

    def _request(self, who: Any, method: str, path: str, body: Any = None) -> Request:
        return Request(who, method, path, encode(body))

    async def look(self, op: Op) -> None:
        """One's own profile."""
        member = self.world.pick(op.random)

        def accept(shown: Any) -> None:
            if shown["id"] != str(member.id):
                self.world.blame(f"member {member.id} was shown the profile of {shown['id']}")

        await self.world.ask(op, self._request(member, "GET", "/v1/member/profile"), accept=accept)

    async def change(self, op: Op) -> None:
        """Another name; it is there at once."""
        member, name = self.world.pick(op.random), f"会员{op.number}"

        def accept(shown: Any) -> None:
            if shown["name"] != name:
                self.world.blame(f"member {member.id} asked for {name!r} and is called {shown['name']!r}")

        async with member.changing:  # the last one wins, so one after the other
            await self.world.ask(op, self._request(member, "POST", "/v1/member/profile", {"name": name}), accept=accept)

    async def list_phones(self, op: Op) -> None:
        """The enrolled phones."""
        await self.world.ask(op, self._request(self.world.pick(op.random), "GET", "/v1/member/devices"))

    async def change_phone(self, op: Op) -> None:
        """A new phone in an old one's place, or a new handle; codes of the old phone are dead from then on."""
        member = self.world.pick(op.random)
        if not member.phones:
            await self._enrol(op, member)
            return
        phone = op.random.choice(member.phones)
        if op.random.random() < 0.5:

            def rotated(made: Any) -> None:
                phone.handle = made["handle"]

            request = self._request(member, "POST", f"/v1/member/devices/{phone.id}/rotate")
            await self.world.ask(op, request, accept=rotated, refusals=frozenset({"not_found"}))
            return
        member.phones.remove(phone)
        request = self._request(member, "DELETE", f"/v1/member/devices/{phone.id}")
        gone = await self.world.ask(op, request, refusals=frozenset({"not_found"}))  # a lost answer, asked again
        if not gone.good and gone.code != "not_found":
            member.phones.append(phone)  # its member was shut out: nobody ended it, and it pays again afterwards
            return
        thief = self.world.domain(Pos).buy_with(op, member, phone, suffix="lost")
        await self.world.ask_in_vain(op, thief, refusals=CODE | {"insufficient_balance"})
        await self._enrol(op, member)

    async def change_session(self, op: Op) -> None:
        """A new token, or out and in again; a refresh token is good once."""
        member = self.world.pick(op.random)
        if op.random.random() < 0.5:
            everywhere = op.random.random() < 0.1
            if everywhere:
                lost, member.phones = member.phones, []
                await self.world.ask(op, self._request(member, "POST", "/v1/member/logout", {"everywhere": True}))
                for _ in lost:
                    await self._enrol(op, member)
            else:
                await self.world.ask(op, self._request(member, "POST", "/v1/member/logout"))
            return
        used = member.refresh
        await self.world.renew_member(member, member.access)
        if used and op.random.random() < 0.3:
            dead = self._request(None, "POST", "/v1/member/token", {"refresh_token": used})
            await self.world.ask_in_vain(op, dead, refusals=frozenset({"unauthenticated"}))

    async def change_pin(self, op: Op) -> None:
        """Put the PIN that is set already; a wrong current one changes nothing."""
        member = self.world.pick(op.random)
        if not member.pin:
            return
        wrong = self._request(member, "PUT", "/v1/member/pin", {"pin": "999999", "current_pin": "000001"})
        right = self._request(member, "PUT", "/v1/member/pin", {"pin": member.pin, "current_pin": member.pin})
        if op.random.random() < 0.3 and member.pin != "000001":
            await self.world.ask_in_vain(op, wrong, refusals=frozenset({"pin_invalid", "pin_locked"}))
        else:
            await self.world.ask(op, right, refusals=frozenset({"pin_locked"}))

    async def talk_nonsense(self, op: Op) -> None:
        """What no client sends; it is refused and moves nothing."""
        member = self.world.pick(op.random)
        path, body, refusal = op.random.choice(
            (
                ("/v1/member/profile", b'{"name": 7}', "validation_failed"),
                ("/v1/member/profile", b'{"stored_fen": 100000}', "validation_failed"),
                ("/v1/member/recharges", b'{"amount_fen": 1000}', "idempotency_key_required"),
                ("/v1/member/devices", b"{" * 50, "validation_failed"),
                ("/v1/member/nothing", b"{}", "not_found"),
            )
        )
        await self.world.ask_in_vain(op, Request(member, "POST", path, body), refusals=frozenset({refusal}))

    def check(self, books: Books, *, final: bool) -> Iterator[str]:
        """Nobody has value who is not a member, but for gift cards, which are compared where they are known."""
        known = {member.id for member in (*self.world.members, *self.world.apart)}
        for (member_id, kind), balance in books.balances.items():
            if balance and member_id not in known and kind != "gift_card":
                yield f"{kind} of {member_id} is {balance}, but nobody registered so"
