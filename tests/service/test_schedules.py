"""Schedule expressions: AWS's own examples, and dates from the calendar."""

import datetime as dt
import zoneinfo

import numpy as np
import pytest

from estimator.errors import InvalidScenario
from estimator.service.schedules import instants, recurrence_of, require_schedule


def utc(*parts):
    return dt.datetime(*parts, tzinfo=dt.UTC)


def due(expression, begin, end, timezone="UTC"):
    return instants(expression, timezone, begin, end)


def days(fields, year, months=range(1, 13)):
    """(month, day) of a year on which a cron of these day fields is due at 10:15."""
    found = due(f"cron(15 10 {fields} *)", utc(year, 1, 1), utc(year + 1, 1, 1))
    assert {(t.hour, t.minute) for t in found} <= {(10, 15)}
    return [(t.month, t.day) for t in found if t.month in months]


# The examples of the Application Auto Scaling User Guide and of EventBridge's "Cron expressions reference". 5 January 2026 is a Monday.
@pytest.mark.parametrize(
    ("fields", "first", "a_week"),
    [
        ("0 10 * * ? *", (5, 10, 0), 7),  # 10:00 am every day
        ("15 12 * * ? *", (5, 12, 15), 7),  # 12:15 pm every day
        ("0 18 ? * MON-FRI *", (5, 18, 0), 5),  # 6:00 pm Monday through Friday
        ("0/15 * * * ? *", (5, 0, 0), 7 * 96),  # every 15 minutes
        ("0/10 * ? * MON-FRI *", (5, 0, 0), 5 * 144),  # every 10 minutes Monday through Friday
        (
            "0/5 8-17 ? * MON-FRI *",
            (5, 8, 0),
            5 * 120,
        ),  # every 5 minutes Monday through Friday between 8:00 am and 5:55 pm
        ("0/30 20-2 ? * MON-FRI *", (5, 0, 0), 5 * 14),  # "Run from 12:00 am to 2:00 am on Monday morning"
        ("30 6 ? * MON *", (5, 6, 30), 1),  # every Monday at 6:30 AM
        ("5,35 14 * * ? *", (5, 14, 5), 14),  # every day, at 2:05pm and 2:35pm
        ("0 12 * * ? *", (5, 12, 0), 7),  # every day at 12:00pm
    ],
)
def test_aws_examples_of_cron(fields, first, a_week):
    found = due(f"cron({fields})", utc(2026, 1, 5), utc(2026, 1, 12))
    assert len(found) == a_week
    assert (found[0].day, found[0].hour, found[0].minute) == first
    assert found == sorted(found)


def test_business_hours_end_at_five_to_six():
    found = due("cron(0/5 8-17 ? * MON-FRI *)", utc(2026, 1, 9), utc(2026, 1, 12))
    assert found[-1] == utc(2026, 1, 9, 17, 55)


def test_the_first_day_of_every_month():
    assert due("cron(0 8 1 * ? *)", utc(2026, 1, 1), utc(2027, 1, 1)) == [utc(2026, m, 1, 8) for m in range(1, 13)]


def test_hours_past_midnight_belong_to_the_day_that_is_named():
    found = due("cron(0/30 20-2 ? * MON-FRI *)", utc(2026, 1, 9), utc(2026, 1, 12))
    assert {t.hour for t in found if t.day == 9} == {0, 1, 2, 20, 21, 22, 23}
    assert not [t for t in found if t.day != 9]  # the small hours of Saturday are Saturday's


def test_the_last_friday_of_each_month_in_some_years():
    # AWS: "at 10:15am UTC+0 on the last Friday of each month during the years 2019 to 2022"
    expression = "cron(15 10 ? * 6L 2019-2022)"
    found = due(expression, utc(2019, 1, 1), utc(2019, 5, 1))
    assert found == [
        utc(2019, 1, 25, 10, 15),
        utc(2019, 2, 22, 10, 15),
        utc(2019, 3, 29, 10, 15),
        utc(2019, 4, 26, 10, 15),
    ]
    assert due(expression, utc(2022, 12, 1), utc(2024, 1, 1)) == [utc(2022, 12, 30, 10, 15)]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ("? * 3#2", [(1, 13), (2, 10), (3, 10), (4, 14)]),  # AWS: the second Tuesday of the month
        ("? * TUE#2", [(1, 13), (2, 10), (3, 10), (4, 14)]),
        ("? * THU#5", [(1, 29), (4, 30)]),  # February and March have no fifth Thursday
        ("? * THUL", [(1, 29), (2, 26), (3, 26), (4, 30)]),
        ("? * FRIL", [(1, 30), (2, 27), (3, 27), (4, 24)]),
        ("L * ?", [(1, 31), (2, 28), (3, 31), (4, 30)]),
        ("L-3 * ?", [(1, 28), (2, 25), (3, 28), (4, 27)]),
        ("LW * ?", [(1, 30), (2, 27), (3, 31), (4, 30)]),  # 31 January and 28 February are Saturdays
        ("3W * ?", [(1, 2), (2, 3), (3, 3), (4, 3)]),  # 3 January is a Saturday
        ("1W * ?", [(1, 1), (2, 2), (3, 2), (4, 1)]),  # 1 February and 1 March are Sundays
        ("31W * ?", [(1, 30), (3, 31)]),  # no weekday is next to a day that is not there
        ("31 * ?", [(1, 31), (3, 31)]),
        ("30-2 JAN ?", [(1, 1), (1, 2), (1, 30), (1, 31)]),
        ("15 JAN,MAR ?", [(1, 15), (3, 15)]),
        ("15 nov-feb ?", [(1, 15), (2, 15)]),
        ("1/10 2 ?", [(2, 1), (2, 11), (2, 21)]),
        ("10-20/5 4 ?", [(4, 10), (4, 15), (4, 20)]),
        ("*/15 4 ?", [(4, 1), (4, 16)]),
        ("07 1/3 ?", [(1, 7), (4, 7)]),
    ],
)
def test_days_of_2026(fields, expected):
    assert days(fields, 2026, range(1, 5)) == expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ("1W 8 ?", [(8, 3)]),  # 1 August 2026 is a Saturday, and 31 July is in another month
        ("3W 5 ?", [(5, 4)]),  # 3 May is a Sunday
        ("31W 5 ?", [(5, 29)]),  # 31 May is a Sunday, and 1 June is in another month
        ("LW 5 ?", [(5, 29)]),
        ("? 8 L", [(8, 1), (8, 8), (8, 15), (8, 22), (8, 29)]),  # the last day of the week is Saturday
        ("? 8 1", [(8, 2), (8, 9), (8, 16), (8, 23), (8, 30)]),  # 1 is Sunday
        ("? 8 SAT-SUN", [(8, 1), (8, 2), (8, 8), (8, 9), (8, 15), (8, 16), (8, 22), (8, 23), (8, 29), (8, 30)]),
    ],
)
def test_more_days_of_2026(fields, expected):
    assert days(fields, 2026) == expected


@pytest.mark.parametrize(("year", "last"), [(2024, 29), (2026, 28), (2100, 28), (2000, 29)])
def test_leap_years(year, last):
    assert days("L 2 ?", year) == [(2, last)]
    assert days("29 2 ?", year) == ([(2, 29)] if last == 29 else [])
    assert days("L-28 2 ?", year) == ([(2, 1)] if last == 29 else [])


def test_a_weekday_next_to_a_day_that_a_month_does_not_have():
    # What would be 31 April 2027 is Saturday, 1 May; what would be 0 February 2026 is Saturday, 31 January.
    assert days("31W 4 ?", 2027) == []
    assert days("L-28W 2 ?", 2026) == []


def test_tenth_minutes_from_the_first():
    # AWS: "1/10 ... the 11th, 21st, and 31st minute, and so on"
    found = due("cron(1/10 0 * * ? *)", utc(2026, 1, 1), utc(2026, 1, 2))
    assert [t.minute for t in found] == [1, 11, 21, 31, 41, 51]


def test_years_may_have_increments():
    found = due("cron(0 0 1 1 ? 2025/2)", utc(2024, 1, 1), utc(2030, 1, 1))
    assert [t.year for t in found] == [2025, 2027, 2029]


def test_begin_counts_and_end_does_not():
    expression, noon = "cron(0/30 * * * ? *)", utc(2026, 1, 1, 12)
    assert due(expression, noon, noon + dt.timedelta(hours=1)) == [noon, utc(2026, 1, 1, 12, 30)]
    assert due(expression, noon + dt.timedelta(microseconds=1), noon + dt.timedelta(hours=1)) == [
        utc(2026, 1, 1, 12, 30)
    ]
    assert due(expression, noon, noon) == due(expression, noon, noon - dt.timedelta(1)) == []


def test_begin_and_end_may_be_in_any_zone():
    berlin = zoneinfo.ZoneInfo("Europe/Berlin")
    begin, end = dt.datetime(2026, 7, 1, tzinfo=berlin), dt.datetime(2026, 7, 2, tzinfo=berlin)
    assert due("cron(0 0/12 * * ? *)", begin, end) == [utc(2026, 7, 1), utc(2026, 7, 1, 12)]
    assert [t.tzinfo for t in due("rate(1 day)", begin, end)] == [dt.UTC]


# The examples of "Example scheduled actions for Application Auto Scaling".
def test_aws_examples_of_at():
    begin, end = utc(2021, 1, 1), utc(2022, 1, 1)
    assert due("at(2021-03-31T22:00:00)", begin, end) == [utc(2021, 3, 31, 22)]
    assert due("at(2021-01-31T17:00:00)", begin, end, "America/New_York") == [utc(2021, 1, 31, 22)]
    assert due("at(2021-03-31T22:00:00)", utc(2021, 4, 1), end) == []
    assert due("at(2021-03-31T22:00:00)", begin, utc(2021, 3, 31, 22)) == []


def test_aws_example_of_a_rate():
    # "every 5 hours starting on January 30, 2021 at 12:00 PM UTC and ending on January 31, 2021 at 10:00 PM UTC"
    found = due("rate(5 hours)", utc(2021, 1, 30, 12), utc(2021, 1, 31, 22), "America/New_York")
    assert [(t.day, t.hour) for t in found] == [(30, 12), (30, 17), (30, 22), (31, 3), (31, 8), (31, 13), (31, 18)]


def test_a_rate_ends_before_the_end():
    begin = utc(2026, 1, 1, 0, 0, 30)
    assert due("rate(1 minute)", begin, begin + dt.timedelta(minutes=2)) == [begin, begin + dt.timedelta(minutes=1)]
    assert due("rate(7 days)", begin, begin + dt.timedelta(days=14, microseconds=1))[-1] == begin + dt.timedelta(14)


def test_aws_example_of_cron_in_a_zone():
    # Etc/GMT+9 is nine hours behind UTC: 6:00 PM Monday through Friday there is Tuesday through Saturday at 03:00 here.
    found = due("cron(0 18 ? * MON-FRI *)", utc(2026, 1, 5), utc(2026, 1, 12), "Etc/GMT+9")
    assert found == [utc(2026, 1, day, 3) for day in (6, 7, 8, 9, 10)]


def test_a_zone_may_be_a_day_ahead_or_behind():
    # In January Auckland is 13 hours ahead of UTC, Honolulu 10 behind.
    expression, begin, end = "cron(0 8,20 * * ? *)", utc(2026, 1, 5, 1), utc(2026, 1, 5, 23)
    assert due(expression, begin, end, "Pacific/Auckland") == [utc(2026, 1, 5, 7), utc(2026, 1, 5, 19)]
    assert due(expression, begin, end, "Pacific/Honolulu") == [utc(2026, 1, 5, 6), utc(2026, 1, 5, 18)]


def test_a_days_schedule_follows_daylight_saving():
    # Germany: 02:00 becomes 03:00 on 29 March 2026, 03:00 becomes 02:00 on 25 October.
    found = due("cron(0 8 * * ? *)", utc(2026, 3, 27), utc(2026, 3, 31), "Europe/Berlin")
    assert [(t.day, t.hour) for t in found] == [(27, 7), (28, 7), (29, 6), (30, 6)]
    found = due("cron(0 8 * * ? *)", utc(2026, 10, 23), utc(2026, 10, 27), "Europe/Berlin")
    assert [(t.day, t.hour) for t in found] == [(23, 6), (24, 6), (25, 7), (26, 7)]


# EventBridge Scheduler: skipped "if the cron expression falls on a non-existent date and time"; in the fall it "runs only once".
@pytest.mark.parametrize(
    ("timezone", "expression", "begin", "expected"),
    [
        ("Europe/Berlin", "cron(30 2 * * ? *)", utc(2026, 3, 28), [utc(2026, 3, 28, 1, 30), utc(2026, 3, 30, 0, 30)]),
        (
            "Europe/Berlin",
            "cron(30 2 * * ? *)",
            utc(2026, 10, 24),
            [utc(2026, 10, 24, 0, 30), utc(2026, 10, 25, 0, 30), utc(2026, 10, 26, 1, 30)],
        ),
        # New York: 02:00 becomes 03:00 on 8 March 2026, 02:00 becomes 01:00 on 1 November.
        ("America/New_York", "cron(30 2 * * ? *)", utc(2026, 3, 7), [utc(2026, 3, 7, 7, 30), utc(2026, 3, 9, 6, 30)]),
        (
            "America/New_York",
            "cron(30 1 * * ? *)",
            utc(2026, 10, 31),
            [utc(2026, 10, 31, 5, 30), utc(2026, 11, 1, 5, 30), utc(2026, 11, 2, 6, 30)],
        ),
        # São Paulo in 2018 changed at midnight: no midnight on 4 November, 23:30 twice on 17 February.
        ("America/Sao_Paulo", "cron(0 0 * * ? *)", utc(2018, 11, 3), [utc(2018, 11, 3, 3), utc(2018, 11, 5, 2)]),
        (
            "America/Sao_Paulo",
            "cron(30 23 * * ? *)",
            utc(2018, 2, 17),
            [utc(2018, 2, 17, 1, 30), utc(2018, 2, 18, 1, 30), utc(2018, 2, 19, 2, 30)],
        ),
    ],
)
def test_times_that_are_skipped_or_come_twice(timezone, expression, begin, expected):
    assert due(expression, begin, begin + dt.timedelta(3), timezone) == expected


def test_one_time_at_a_change_of_clocks():
    begin, end = utc(2026, 1, 1), utc(2027, 1, 1)
    assert due("at(2026-03-29T02:30:00)", begin, end, "Europe/Berlin") == []
    assert due("at(2026-03-29T03:00:00)", begin, end, "Europe/Berlin") == [utc(2026, 3, 29, 1)]
    assert due("at(2026-10-25T02:30:00)", begin, end, "Europe/Berlin") == [utc(2026, 10, 25, 0, 30)]


@pytest.mark.parametrize(
    ("timezone", "change"),
    [
        ("Europe/Berlin", utc(2026, 3, 29)),
        ("Europe/Berlin", utc(2026, 10, 25)),
        ("Australia/Lord_Howe", utc(2026, 4, 4)),  # half an hour
        ("Australia/Lord_Howe", utc(2026, 10, 3)),
        ("Pacific/Apia", utc(2011, 12, 30)),  # a whole day that never was
    ],
)
def test_against_every_minute_around_a_change(timezone, change):
    """The first of two equal local times has ``fold`` 0, and UTC has no time that is skipped."""
    begin, zone = change - dt.timedelta(2), zoneinfo.ZoneInfo(timezone)
    minutes = [begin + dt.timedelta(minutes=m) for m in range(4 * 1440)]
    local = [t.astimezone(zone) for t in minutes]
    expected = [
        t
        for t, there in zip(minutes, local, strict=True)
        if there.minute % 10 == 0 and there.hour != 5 and not there.fold
    ]
    assert due("cron(0/10 0-4,6-23 * * ? *)", begin, change + dt.timedelta(2), timezone) == expected


def test_a_year_of_five_minutes():
    # The hour that is skipped has twelve, the one that comes twice counts once.
    found = due("cron(0/5 * * * ? *)", utc(2025, 12, 31, 23), utc(2026, 12, 31, 23), "Europe/Berlin")
    assert len(found) == 365 * 288 - 12
    steps = np.diff([t.timestamp() for t in found])
    assert sorted(set(steps)) == [300, 3900]
    assert np.count_nonzero(steps == 3900) == 1


@pytest.mark.parametrize(
    ("expression", "says"),
    [
        ("", "it must be at(yyyy-mm-ddThh:mm:ss), rate(value unit) or cron("),
        (None, "it must be at("),
        (5, "it must be at("),
        ("0 8 * * ? *", "it must be at("),
        ("every(1 day)", "it must be at("),
        ("cron(0 8 * * ?)", "cron has 5 fields and must have six"),
        ("cron(0 0 8 * * ? *)", "cron has 7 fields and must have six"),
        ("cron(0 8 * * * *)", "one of day of month and day of week, and not both, must be ?"),
        ("cron(0 8 ? * ? *)", "one of day of month and day of week, and not both, must be ?"),
        ("cron(0 8 1 * MON *)", "one of day of month and day of week, and not both, must be ?"),
        ("cron(60 8 * * ? *)", "its minutes field is '60' and must have values of 0 to 59"),
        ("cron(0 24 * * ? *)", "its hours field is '24' and must have values of 0 to 23"),
        ("cron(0 8 0 * ? *)", "its day of month field is '0' and must have values of 1 to 31"),
        ("cron(0 8 * 13 ? *)", "its month field is '13' and must have values of 1 to 12 or JAN to DEC"),
        ("cron(0 8 ? * 0 *)", "its day of week field is '0' and must have values of 1 to 7 or SUN to SAT"),
        ("cron(0 8 ? * MON-FOO *)", "its day of week field is 'MON-FOO'"),
        ("cron(0 8 * * ? 1969)", "its year field is '1969' and must have values of 1970 to 2199"),
        ("cron(0 8 * * ? 2028-2026)", "its year field"),
        ("cron(0/0 8 * * ? *)", "its minutes field is '0/0'"),
        ("cron(0/60 8 * * ? *)", "its minutes field is '0/60'"),
        ("cron(? 8 * * ? *)", "its minutes field is '?'"),
        ("cron(0 8 * * ? ?)", "its year field is '?'"),
        ("cron(0 8 1,L * ? *)", "its day of month field is '1,L'"),
        ("cron(0 8 1W,15W * ? *)", "its day of month field is '1W,15W'"),
        ("cron(0 8 32W * ? *)", "its day of month field is '32W'"),
        ("cron(0 8 W * ? *)", "its day of month field is 'W'"),
        ("cron(0 8 L-31 * ? *)", "its day of month field is 'L-31'"),
        ("cron(0 8 ? * 3#6 *)", "its day of week field is '3#6'"),
        ("cron(0 8 ? * 3#1,6#3 *)", "its day of week field is '3#1,6#3'"),  # AWS: not valid
        ("cron(0 8 ? * 8L *)", "its day of week field is '8L'"),
        ("cron(0 8, * * ? *)", "its hours field is '8,'"),
        ("cron(0 -8 * * ? *)", "its hours field is '-8'"),
        ("cron(٥ 8 * * ? *)", "its minutes field"),
        (
            "rate(1 hours)",
            "a rate must be 1 minute, 1 hour or 1 day",
        ),  # AWS: rate(1 hours) and rate(5 hour) aren't valid
        ("rate(5 hour)", "a rate must be 1 minute, 1 hour or 1 day"),
        ("rate(0 minutes)", "a rate must be"),
        ("rate(-5 minutes)", "a rate must be"),
        ("rate(1.5 hours)", "a rate must be"),
        ("rate(2 weeks)", "a rate must be"),
        ("at(2026-02-29T08:00:00)", "its time must be a date and time that exist"),
        ("at(2026-12-01T08:00:00Z)", "without a zone"),
        ("at(2026-12-01 08:00:00)", "such as at(2026-12-01T08:00:00)"),
        ("at(2026-12-01)", "such as at(2026-12-01T08:00:00)"),
    ],
)
def test_what_is_refused(expression, says):
    with pytest.raises(InvalidScenario) as caught:
        require_schedule("schedule", expression, "UTC")
    message = str(caught.value)
    assert message.startswith(f"schedule is {expression!r}; ")
    assert says in message
    assert message.endswith(".")
    with pytest.raises(InvalidScenario, match="schedule is"):
        instants(expression, "UTC", utc(2026, 1, 1), utc(2026, 1, 2))


@pytest.mark.parametrize("timezone", ["Mars/Olympus", "", None, 3, "../etc/passwd", "Europe", "UTC+1"])
def test_unknown_zones_are_refused(timezone):
    for expression in ("cron(0 8 * * ? *)", "rate(1 day)"):
        with pytest.raises(InvalidScenario, match="it must be a name such as Europe/Berlin or UTC"):
            require_schedule("schedule", expression, timezone)


@pytest.mark.parametrize(
    "expression", ["cron(0 8 ? * mon-Fri *)", " cron( 0  8 L-3W * ? * ) ", "rate(1 minute)", "at(2026-12-01T08:00:00)"]
)
def test_what_is_allowed(expression):
    require_schedule("schedule", expression, "America/Argentina/Buenos_Aires")


def test_moments_need_a_zone():
    for begin, end in ((dt.datetime(2026, 1, 1), utc(2026, 1, 2)), (utc(2026, 1, 1), dt.datetime(2026, 1, 2))):
        with pytest.raises(InvalidScenario, match="without a time zone"):
            instants("rate(1 day)", "UTC", begin, end)


@pytest.mark.parametrize(
    ("expression", "kind"),
    [
        ("at(2026-05-05T08:00:00)", "once"),
        ("cron(0 8 * * ? *)", "days"),
        ("cron(0 8 ? * * *)", "days"),
        ("cron(0 8 ? * MON-FRI *)", "days"),
        ("cron(0 8 ? * L *)", "days"),  # every Saturday
        ("cron(0 8 1-31 1-12 ? 1970-2199)", "days"),
        ("cron(0 8 1 * ? *)", "dates"),
        ("cron(0 8 L * ? *)", "dates"),
        ("cron(0 8 15W * ? *)", "dates"),
        ("cron(0 8 ? * 6L *)", "dates"),  # the last Friday of a month
        ("cron(0 8 ? * 3#2 *)", "dates"),
        ("cron(0 8 ? JAN-NOV MON *)", "dates"),
        ("cron(0 8 * * ? 2026-2028)", "dates"),
    ],
)
def test_when_a_schedule_comes_again(expression, kind):
    assert recurrence_of(expression).kind == kind
    assert recurrence_of(expression).every_s == 0


@pytest.mark.parametrize(
    ("expression", "value", "unit", "every_s"),
    [
        ("rate(1 minute)", 1, "minute", 60),
        ("rate(90 minutes)", 90, "minute", 5400),
        ("rate(2 days)", 2, "day", 172_800),
    ],
)
def test_a_rate_comes_again_after_so_long(expression, value, unit, every_s):
    found = recurrence_of(expression)
    assert (found.kind, found.value, found.unit, found.every_s) == ("rate", value, unit, every_s)


def test_a_time_zone_that_is_nearly_right():
    for given, meant in (
        ("Berlin", "Europe/Berlin"),
        ("europe/berlin", "Europe/Berlin"),
        ("New York", "America/New_York"),
    ):
        with pytest.raises(InvalidScenario, match=f"timezone is '{given}'.*Did you mean {meant}"):
            require_schedule("schedule", "rate(1 day)", given)
