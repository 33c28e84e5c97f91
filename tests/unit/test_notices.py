"""Which lines are told and how, what is sent, and when: merged in a burst, paced, and tried again (UI: Notices)."""

import threading
from collections.abc import Callable

import pytest

from exengine.domain.journal import Category, Severity, Topic
from exengine.engine.notices import SENDABLE, is_wanted, manner
from exengine.engine.rows import LogRow
from exengine.notify.courier import Courier, Sink
from exengine.notify.delivery import NotDelivered, service_of, without
from exengine.notify.message import LINES, Message, message_of
from exengine.notify.outbox import Outbox, Pace
from exengine.settings.program_pages import NoticeEvent

AT_ONCE = Pace(gather_s=0, gap_s=0, again_s=0, again_most_s=0)
PATIENCE_S = 10


def line(text: str = "Closed: target reached.", severity: Severity = Severity.INFO, **more) -> LogRow:
    values = {"id": 1, "at_ms": 1, "category": Category.ORDER} | more
    return LogRow(severity=severity, text=text, **values)


def label(account: str) -> str:
    return f"LIVE {account}" if account else "LIVE"


class TestWhatIsTold:
    def test_every_topic_can_be_chosen_in_the_settings_but_that_notices_do_not_arrive(self) -> None:
        chosen = {event.value for event in NoticeEvent}
        assert chosen == {one.value for kind in (Severity, Category) for one in kind} | {one.value for one in SENDABLE}

    @pytest.mark.parametrize("event", ["info", "order", "group_closed"])
    def test_a_line_goes_to_whoever_asks_for_its_severity_its_category_or_its_topic(self, event: str) -> None:
        closed = line(topic=Topic.GROUP_CLOSED)
        assert is_wanted(closed, {event})
        assert not is_wanted(closed, {"error", "warning", "risk", "group_opened"})

    def test_that_notices_do_not_arrive_is_told_in_the_window_and_not_by_notices(self) -> None:
        row = line("Notices do not arrive.", Severity.ERROR, topic=Topic.NOTICES_FAIL)
        assert not is_wanted(row, {event.value for event in NoticeEvent})
        assert manner(row).strip

    def test_what_is_over_takes_down_what_it_ends(self) -> None:
        assert manner(line(topic=Topic.ACCOUNT_BACK)).resolves is Topic.ACCOUNT_AWAY
        assert manner(line(topic=Topic.STORE_BACK)).resolves is Topic.STORE_TROUBLE

    def test_an_error_is_as_loud_as_can_be_and_a_line_of_the_log_is_quiet(self) -> None:
        loud, quiet = manner(line(severity=Severity.ERROR)), manner(line())
        assert (loud.strip, loud.toast, loud.tray) == (True, True, True)
        assert (quiet.strip, quiet.toast, quiet.tray) == (False, False, False)
        assert manner(line(topic=Topic.GROUP_CLOSED)).toast


class TestAMessage:
    def test_one_line_names_its_account_real_money_or_not_its_pair_and_what_to_do(self) -> None:
        row = line(
            "Entry of pyramid 1, DCA0 refused.",
            Severity.ERROR,
            advice="The other legs stand.",
            group="main|BTC/USDT|15m#1",
            symbol="BTC/USDT",
            timeframe="15m",
            topic=Topic.ORDER_REJECTED,
        )
        message = message_of([row], label)
        assert message.title == "ExEngine LIVE main: order rejected"
        assert message.body == "BTC/USDT 15m: Entry of pyramid 1, DCA0 refused. The other legs stand."
        assert message.severity is Severity.ERROR

    def test_many_become_one_with_their_count_the_same_ones_together(self) -> None:
        group = "main|BTC/USDT|15m#1"
        rows = [line("One.", group=group), *[line("Two.", Severity.ERROR, group=group)] * 3, line("Three.")]
        message = message_of(rows, label)
        assert message.title == "ExEngine LIVE: 5 notices, 3 errors"
        assert message.body.split("\n") == ["LIVE main: One.", "3 × LIVE main: Two.", "LIVE: Three."]

    def test_more_than_can_be_read_are_counted_and_so_are_those_that_found_no_room(self) -> None:
        rows = [line(f"Line {number}.") for number in range(LINES + 5)]
        message = message_of(rows, label, dropped=7)
        first, second, *rest = message.body.split("\n")
        assert message.title == f"ExEngine LIVE: {LINES + 12} notices"
        assert (first, second) == ("… 7 more were dropped: see the log.", "… 5 before these: see the log.")
        assert rest == [f"LIVE: Line {number}." for number in range(5, LINES + 5)]


class TestWhenItIsSent:
    def test_the_first_of_a_burst_waits_for_the_others_and_they_go_as_one(self) -> None:
        outbox = Outbox(pace=Pace(gather_s=2))
        for number in range(50):
            outbox.put(line(str(number)), now_s=100 + number / 100)
        assert outbox.due_s() == 102
        assert len(outbox.take()[0]) == 50
        assert outbox.due_s() is None

    def test_the_next_message_keeps_its_distance(self) -> None:
        outbox = Outbox(pace=Pace(gather_s=2, gap_s=10))
        outbox.put(line(), now_s=100)
        outbox.take()
        outbox.delivered(103)
        outbox.put(line(), now_s=104)
        assert outbox.due_s() == 113

    def test_what_fails_is_tried_again_later_and_later_and_told_once(self) -> None:
        outbox = Outbox(pace=Pace(gather_s=0, again_s=5, again_most_s=60))
        outbox.put(line(), now_s=0)
        pauses, firsts, now_s = [], [], 0.0
        for _ in range(6):
            firsts.append(outbox.failed(*outbox.take(), now_s))
            due_s = outbox.due_s()
            assert due_s is not None
            pauses.append(due_s - now_s)
            now_s = due_s
        assert pauses == [5, 10, 20, 40, 60, 60]
        assert firsts == [True] + [False] * 5
        assert [row.text for row in outbox.take()[0]] == [line().text]
        assert outbox.delivered(now_s) is True
        assert outbox.delivered(now_s) is False

    def test_the_oldest_make_room_and_are_counted_also_when_a_message_comes_back(self) -> None:
        outbox = Outbox(pace=Pace(room=3))
        for number in range(5):
            outbox.put(line(str(number)), now_s=0)
        rows, dropped = outbox.take()
        assert ([row.text for row in rows], dropped) == (["2", "3", "4"], 2)
        outbox.put(line("5"), now_s=1)
        outbox.failed(rows, dropped, now_s=2)
        rows, dropped = outbox.take()
        assert ([row.text for row in rows], dropped) == (["3", "4", "5"], 3)


class Service:
    """Takes messages, or does what a test says."""

    def __init__(self, act: Callable[[Message], None] = lambda message: None) -> None:
        self.act = act
        self.taken: list[Message] = []
        self.has = threading.Semaphore(0)

    def __call__(self, url: str, message: Message) -> None:
        self.act(message)
        self.taken.append(message)
        self.has.release()

    def next(self) -> Message:
        assert self.has.acquire(timeout=PATIENCE_S)
        return self.taken[-1]


SINK = Sink(url="json://127.0.0.1/", events=frozenset({"error"}))


class TestACourier:
    def test_it_sends_what_is_put_into_it(self) -> None:
        service = Service()
        courier = Courier(SINK, service, label, lambda why: None, AT_ONCE)
        courier.put(line("One."))
        assert "One." in service.next().body
        courier.close()
        assert courier.ended(PATIENCE_S)

    def test_it_tells_once_that_nothing_arrives_and_once_that_it_does_again(self) -> None:
        fails = [NotDelivered("no route to it")] * 3

        def act(message: Message) -> None:
            if fails:
                raise fails.pop()

        told: list[str | None] = []
        service = Service(act)
        courier = Courier(SINK, service, label, told.append, AT_ONCE)
        courier.put(line("One."))
        assert "One." in service.next().body
        courier.put(line("Two."))
        service.next()
        courier.close()
        assert courier.ended(PATIENCE_S)
        assert told == ["no route to it", None]

    def test_a_defect_in_it_does_not_silence_it(self) -> None:
        faults = [ZeroDivisionError()]

        def act(message: Message) -> None:
            if faults:
                raise faults.pop()

        told: list[str | None] = []
        service = Service(act)
        courier = Courier(SINK, service, label, told.append, AT_ONCE)
        courier.put(line())
        service.next()
        courier.close()
        assert courier.ended(PATIENCE_S)
        assert told == ["a defect in ExEngine (ZeroDivisionError)", None]

    def test_at_its_end_it_sends_what_waits_without_gathering_more(self) -> None:
        service = Service()
        courier = Courier(SINK, service, label, lambda why: None, Pace(gather_s=3600))
        courier.put(line("Stopped."))
        courier.close()
        assert "Stopped." in service.next().body
        assert courier.ended(PATIENCE_S)
        courier.put(line("Too late."))
        assert len(service.taken) == 1

    def test_its_end_does_not_try_again_what_fails(self) -> None:
        def act(message: Message) -> None:
            raise NotDelivered("no")

        failed = threading.Event()
        courier = Courier(SINK, Service(act), label, lambda why: failed.set(), Pace(gather_s=0, again_s=3600))
        courier.put(line())
        assert failed.wait(PATIENCE_S)
        courier.close()
        assert courier.ended(PATIENCE_S)

    def test_a_service_that_never_answers_keeps_nobody(self) -> None:
        never = threading.Event()
        entered = threading.Event()

        def act(message: Message) -> None:
            entered.set()
            never.wait()

        courier = Courier(SINK, Service(act), label, lambda why: None, AT_ONCE)
        courier.put(line())
        assert entered.wait(PATIENCE_S)
        for number in range(1000):
            courier.put(line(str(number)))
        courier.close()
        assert not courier.ended(0)
        never.set()
        assert courier.ended(PATIENCE_S)


class TestAnAddress:
    @pytest.mark.parametrize(
        ("url", "service"),
        [
            ("json://127.0.0.1:8080/here", "JSON"),
            ("tgram://123456789:ABCdefGhIJKlmNoPQRstuVWXyz0123456789/12315544/", "Telegram"),
            ("discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js", "Discord"),
            ("mailto://bot:sesame@example.com?to=me@example.com", "E-Mail"),
        ],
    )
    def test_it_tells_its_service(self, url: str, service: str) -> None:
        assert service_of(url) == service

    @pytest.mark.parametrize("url", ["nosuch://here", "json://", "discord://only-one-part"])
    def test_what_is_of_no_service_is_said_without_the_address(self, url: str) -> None:
        with pytest.raises(NotDelivered) as error:
            service_of(url)
        assert url not in str(error.value)

    def test_a_reason_has_nothing_of_its_secrets(self) -> None:
        url = "tgram://123456789:ABCdefGhIJ/12315544/?token=open%20sesame"
        said = "POST /bot123456789:ABCdefGhIJ/12315544 refused: open sesame, ABCdefGhIJ."
        assert without(url, said) == "POST /bot•••/••• refused: •••, •••"
        mail = "mailto://bot:sesame@mail.example.com?to=me"
        assert without(mail, "mail.example.com refused sesame") == "mail.example.com refused •••"
