"""The cheapest candidate that keeps the promise, found without following every course: Search(question).run().

Notes
-----
Each candidate has a least bill and figures at the best before it is simulated (`estimator.planning.bounds`). One that breaks a limit at the best,
or whose least bill is over that of a plan already found, is not simulated; any other is, likely winners first, and given up as soon as a limit is
broken or the bill is too large, whatever comes. What is left to choose between is what an exhaustive search would choose between, so the answer
is the same. Courses are run in waves of a fixed number, between which the bill to beat is lowered: so it does not matter on how many threads.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property, partial

import numpy as np
from numpy.typing import NDArray

from estimator.billing.committed import with_known_plans
from estimator.billing.costing import Bills, breakdown, price_month
from estimator.billing.lcu import LcuHours
from estimator.billing.month import BilledMonth
from estimator.billing.savings_plan_options import SavingsPlan
from estimator.errors import NoFeasiblePlan, RateNotFound
from estimator.planning.bounds import CostLines, CourseBounds, pretended
from estimator.planning.effort import Effort
from estimator.planning.limits import broken_limits, could_decide, drill_rejections, none_left, worst
from estimator.planning.promise import KNOWN_BEFORE, Rejection
from estimator.planning.question import Question, Winner
from estimator.service.network import NetworkLayout
from estimator.service.policies import TargetTrackingScalingPolicy
from estimator.service.spec import ServiceSpec
from estimator.service.task_size import ARM64, X86_64
from estimator.simulation.courses import Courses
from estimator.simulation.engine import run_all
from estimator.simulation.outcome import Figures
from estimator.simulation.result import Simulation

#: Courses that are run before the bill to beat is lowered: fewer at first, since the first ones lower it most. [1]
_WAVES = (2, 4, 8, 16, 32)
#: Courses of which what they have at the best is computed together. [1]
_LOOKED_AT = 128
#: Courses after which a search that has just begun says so again. [1]
_TOLD = 64
#: Courses that are followed to their end only to say why they lost. [1]
EXPLAINED = 16
#: Tasks are billed for no more than so many times the largest maximum, deployments and draining included. [1]
_MOST_BILLED = 4
#: Utilization that a policy without a CPU target is guessed to come to. [%]
_LIKELY_PERCENT = 60.0
#: How price names say an architecture, with Linux.
_KINDS = {X86_64: "linux_x86", ARM64: "linux_arm"}
#: Bills that differ by no more than this part are the same. [1]
_SAME = 2.0**-40


class Search:
    """A search for the cheapest candidate, and what is known of the others on the way.

    Parameters
    ----------
    question : Question
        What is searched.
    to_beat : float
        Bill of a plan that is already known; what costs as much is not looked for. [USD/month]
    like : Search, optional
        An earlier search of the same candidates under the same load, whose courses are not run again.
    """

    def __init__(self, question: Question, to_beat: float = math.inf, like: Search | None = None) -> None:
        self.question = q = question
        self._capacity_units: LcuHours | None = None if like is None else like._capacity_units
        if like is None:
            self.courses = Courses(
                q.workload, q.specs, q.application, q.behavior, q.operations, q.promise.p95_latency_ms
            )
            self.bounds = CourseBounds(self.courses, q.promise, self._month(self._pretend(0.0, 0.0)).periods)
            self.whole: dict[int, Figures] = {}
        else:
            self.courses, self.bounds, self.whole = like.courses, like.bounds, like.whole
        self._drilled: dict[int, list[Rejection]] = {} if like is None else like._drilled
        self._drilled_usd: dict[int, float] = {}
        self._is_again, self._n_known = like is not None, len(self.whole)
        self.to_beat = to_beat
        self.best: Winner | None = None
        self.partial: dict[int, Figures] = {}
        self.missed: set[str] = set()
        self._at_best: dict[int, dict[int, list[Rejection]]] = {}
        self._finished: dict[int, dict[int, list[Rejection]]] = {}
        self.steps = 0

    # What is known before anything is simulated.

    @cached_property
    def deciding(self) -> frozenset[str]:
        """Charges without a known rate of which some candidates need more than others."""
        if not self.unknown:
            return frozenset()
        n = len(self.question.specs)
        numbers = np.arange(n, dtype=np.float64)
        found: set[str] = set()
        for on_spot in (False, True):
            month = self._month(self._pretend(1.0 + numbers / n, 1.0 + numbers, on_spot))
            bills = price_month(month, self.question.rates)
            found.update(charge for charge in bills.unknown if could_decide(charge, bills))
        return frozenset(found)

    @cached_property
    def _paid_unknown(self) -> dict[str, RateNotFound]:
        """Architectures of which it is not known what Savings Plans that you have pay, with the rate that lacks."""
        q = self.question
        found: dict[str, RateNotFound] = {}
        plans = [plan for plan in q.purchases[0] if plan.existing]
        for architecture in {spec.cpu_architecture for spec in q.specs}:
            kind = "windows" if q.application.is_windows else _KINDS[architecture]
            for name in (plan.option.price_of(f"{kind}_{leg}") for plan in plans for leg in ("vcpu", "gb")):
                if name not in q.rates.known:
                    try:
                        q.rates[name]
                    except RateNotFound as error:
                        found[architecture] = error
        return found

    @cached_property
    def _by_on_demand(self) -> bool:
        """True if of no candidate it is known what Savings Plans pay: bills are then compared without."""
        return bool(self._paid_unknown) and {s.cpu_architecture for s in self.question.specs} <= set(self._paid_unknown)

    @cached_property
    def unknown(self) -> dict[str, RateNotFound]:
        """Charges that some candidate may need and of which no rate is known."""
        q = self.question
        kinds = {(s.cpu_architecture, s.capacity_provider_strategy, s.network, s.scaling): s for s in q.specs}
        specs = tuple(kinds.values())
        some, none = np.ones(len(specs)), np.zeros(len(specs), dtype=np.bool_)
        spot = np.array([spec.capacity_provider_strategy.uses_spot for spec in specs])
        found: dict[str, RateNotFound] = {}
        for on_spot in (none, spot):
            found |= price_month(self._month(pretended(specs, self.courses, some, on_spot, some)), q.rates).unknown
        # A Savings Plan's rate is no charge; it is named as one for the messages.
        return found | {error.price: error for error in self._paid_unknown.values()}

    @cached_property
    def lines(self) -> CostLines:
        """Bills from below."""
        q = self.question
        period_h = q.workload.load.period_hours
        highs = [max([spec.max_capacity, *(a.max_capacity or 0 for a in spec.scheduled_actions)]) for spec in q.specs]
        far = _MOST_BILLED * period_h * np.array(highs, dtype=np.float64)
        share = np.array([spec.capacity_provider_strategy.spot_share for spec in q.specs])
        fixed, on_demand = (
            price_month(self._month(self._pretend(hours, 0.0)), q.rates).total_usd
            for hours in (np.zeros_like(far), far)
        )
        # Where tiers of your own prices rise, no straight line between two bills lies below all in between.
        slopes = q.rates.without_rising_tiers()
        if slopes is q.rates:
            none = fixed
        else:
            none, on_demand = (
                price_month(self._month(self._pretend(hours, 0.0)), slopes).total_usd
                for hours in (np.zeros_like(far), far)
            )
        on_spot = on_demand
        if share.any():
            on_spot = price_month(self._month(self._pretend(far, 0.0, True)), slopes).total_usd
        per_hour = (on_demand - none) / far - self._most_saved_per_task_hour
        per_spot_hour = np.where(share > 0, (on_spot - none) / far, np.inf)
        return CostLines(fixed, np.maximum(per_hour, 0.0), per_spot_hour, share)

    @cached_property
    def least_usd(self) -> NDArray[np.float64]:
        """Least bill of each candidate that keeps the promise. [USD/month]"""
        hours = np.array([self.bounds.least_task_hours(i) for i in range(len(self.courses.dynamics))])
        return self.lines.least_usd(hours[self.courses.index]) * (1 - 1e-9)

    @cached_property
    def _certain_usd(self) -> NDArray[np.float64]:
        """Least bill of each candidate, whether it keeps the promise or not. [USD/month]"""
        hours = np.array([self.bounds.certain_task_hours(i) for i in range(len(self.courses.dynamics))])
        return self.lines.least_usd(hours[self.courses.index]) * (1 - 1e-9)

    def at_best(self, courses: Iterable[int]) -> dict[int, list[Rejection]]:
        """Say which limits the candidates of some courses break even at the best.

        Parameters
        ----------
        courses : iterable of int
            Places of the courses.

        Returns
        -------
        dict of int to list of Rejection
            By the candidate's position.
        """
        wanted = list(courses)
        new = [i for i in wanted if i not in self._at_best]
        if new:
            figures = {i: self.bounds.at_best(i) for i in new}
            places = np.sort(np.concatenate([self._places[i] for i in new]))
            broken = dict(zip(places.tolist(), self._broken(places, figures, partial=True), strict=True))
            for i in new:
                self._at_best[i] = {place: broken[place] for place in self._places[i].tolist()}
        return {place: row for i in wanted for place, row in self._at_best[i].items()}

    @cached_property
    def _places(self) -> list[NDArray[np.int64]]:
        """Candidates of each course."""
        order = np.argsort(self.courses.index, kind="stable")
        return np.split(order, np.cumsum(np.bincount(self.courses.index))[:-1])

    def _members(self, i: int) -> NDArray[np.int64]:
        """Candidates of a course that break nothing at the best."""
        broken = self.at_best([i])
        return np.array([place for place in self._places[i].tolist() if not broken[place]], dtype=np.int64)

    # The search.

    def run(self, progress: Callable[[float], None] | None = None, n_threads: int | None = None) -> Winner | None:
        """Find the winner.

        Parameters
        ----------
        progress : callable, optional
            Called with the part that is done, 0 to 1; what it raises ends the search.
        n_threads : int, optional
            Threads; by default one for each core. [1]

        Returns
        -------
        Winner or None
            None if no candidate keeps the promise, or none costs less than what is to be beaten.
        """
        # An answer that nobody wants any more ends here too.
        begun = partial(progress, 0.0) if progress is not None else _nothing
        waiting = self._in_order(begun)
        total = max(len(waiting), 1)
        sizes = iter(_WAVES)
        size = next(sizes)
        while waiting:
            waiting = [i for i in waiting if self._least_of[i] <= self.most_usd * (1 + 1e-9)]
            looked_at, waiting = waiting[:_LOOKED_AT], waiting[_LOOKED_AT:]
            self.at_best(looked_at)
            while looked_at:
                looked_at = [i for i in looked_at if self._could_win(i)]
                wave, looked_at = looked_at[:size], looked_at[size:]
                size = next(sizes, size)
                self._follow([i for i in wave if i not in self.whole], n_threads)
                self._take([i for i in wave if i in self.whole])
                if progress is not None:
                    progress(1 - (len(waiting) + len(looked_at)) / total)
        if progress is not None:
            progress(1.0)
        return self.best

    def _in_order(self, begun: Callable[[], None]) -> list[int]:
        """Courses that could have a winner, likely ones first."""
        begun()
        hours = np.zeros(len(self.question.specs))
        for i, places in enumerate(self._places):
            if i % _TOLD == 0:
                begun()
            # Candidates of one course have one policy.
            hours[places] = self.bounds.likely_task_hours(i, _target_percent(self.question.specs[places[0]]))
        begun()
        usd = self.lines.least_usd(hours)
        begun()
        likely = [float(usd[places].min()) for places in self._places]
        return sorted(range(len(likely)), key=lambda i: (likely[i], i))

    @cached_property
    def _least_of(self) -> list[float]:
        """Least bill of each course's candidates. [USD/month]"""
        return [float(self.least_usd[places].min()) for places in self._places]

    @property
    def most_usd(self) -> float:
        """Bill that a candidate has to be under, or equal to; infinite at first. [USD/month]"""
        return self.to_beat if self.best is None else min(self.best.usd_per_month, self.to_beat)

    def _could_win(self, i: int) -> bool:
        return bool((self.least_usd[self._members(i)] <= self.most_usd * (1 + 1e-9)).any())

    def _follow(self, wave: Sequence[int], n_threads: int | None) -> None:
        """Run courses, each until it is over or decided."""
        done: dict[int, Figures] = {}
        rules = {i: self.bounds.stop_rules(i, *self._most_task_hours(i)) for i in wave}

        def one(n: int) -> None:
            i = wave[n]
            done[i] = self.courses.run(i, hours=self.question.needs_hours, stop=rules[i])

        run_all(one, len(wave), self.courses.is_compiled, None, n_threads)
        for i in wave:
            self.steps += done[i].stopped_after or int(self.courses.steps[i])
            (self.partial if done[i].stopped_after else self.whole)[i] = done[i]

    def _most_task_hours(self, i: int) -> tuple[float, float]:
        """Task-hours from which on all candidates of a course cost too much, and what one on Fargate Spot counts for."""
        lines, members = self.lines, self._members(i)
        per_hour = lines.usd_per_task_hour[members]
        if not math.isfinite(self.most_usd) or not (per_hour > 0).all():
            return math.inf, 1.0
        most = (self.most_usd * (1 + 1e-9) - lines.fixed_usd[members]) / per_hour
        return float(most.max()), float((lines.usd_per_spot_task_hour[members] / per_hour).min())

    def _take(self, wave: Sequence[int]) -> None:
        """Price what was followed to its end, and let the best of it be the one to beat."""
        places = np.sort(np.concatenate([self._members(i) for i in wave])) if wave else np.zeros(0, dtype=np.int64)
        places = places[self.least_usd[places] <= self.most_usd * (1 + 1e-9)]
        if not places.size:
            return
        q = self.question
        run = self._simulation(places, self.whole)
        month = self._month(run)
        bills = price_month(month, q.rates)
        broken = self._noted(self._with_paid(month.specs, broken_limits(month, q.promise, bills, self.deciding)))
        on_demand_hours = run.billed_task_hours - run.spot_billed_task_hours
        least_usd = bills.total_usd - self._most_saved_per_task_hour[places] * on_demand_hours
        offered: set[tuple[int, NetworkLayout]] = set()
        for n in np.argsort(bills.total_usd, kind="stable"):
            place = int(places[n])
            # Where only memory is more, each way to pay is dearer.
            kind = int(self.courses.index[place]), q.specs[place].network
            if broken[n] or kind in offered or least_usd[n] > self.most_usd * (1 + 1e-9):
                continue
            offered.add(kind)
            self._offer(int(n), place, month, bills, run)

    def _offer(self, n: int, place: int, month: BilledMonth, bills: Bills, run: Simulation) -> None:
        """Let a candidate that keeps the limits win, if it is cheaper and comes through the drills."""
        q = self.question
        on_demand = float(bills.total_usd[n])
        # A product of matrices has other last digits for other numbers of rows: what only they tell apart is the same.
        p95_ms = _comparable(min(float(run.p95_latency_ms[n]), 1e18))
        if not any(q.purchases) and not self._beats((_comparable(on_demand), p95_ms, place)):
            return
        alone, own = breakdown(month, bills, q.rates, n), _alone(run, n)
        for purchase in q.purchases:
            if purchase is not q.purchases[0] and not self._is_known(purchase):
                continue  # of several ways to pay, one whose rates are not known is none
            cost, left_out = with_known_plans(alone, own, q.rates, purchase, q.application.operating_system)
            usd = on_demand if self._by_on_demand or not purchase else cost.total_usd
            key = (_comparable(usd), p95_ms, place)
            if self._beats(key) and not self._drill(place, cost.total_usd):
                self.best = Winner(place, cost, purchase, left_out, key, usd)

    def _is_known(self, purchase: tuple[SavingsPlan, ...]) -> bool:
        """Say whether any rate of the plan that would be bought is known."""
        bought = [plan for plan in purchase if not plan.existing]
        kinds = ("windows_vcpu",) if self.question.application.is_windows else ("linux_x86_vcpu", "linux_arm_vcpu")
        known = self.question.rates.known
        return all(any(plan.option.price_of(kind) in known for kind in kinds) for plan in bought)

    def _beats(self, key: tuple[float, float, int]) -> bool:
        return key[0] < _comparable(self.to_beat) and (self.best is None or key < self.best.key)

    def _drill(self, place: int, usd: float) -> list[Rejection]:
        i = int(self.courses.index[place])
        if i not in self._drilled:
            self._drilled[i] = drill_rejections(self.question.specs[place], self.question.situation)
        self._drilled_usd[place] = usd
        return self._drilled[i]

    def _drilled_of(self, place: int) -> list[Rejection]:
        """Limits that a candidate breaks in the drills, as far as its course was drilled."""
        found = self._drilled.get(int(self.courses.index[place]), [])
        # Others of the course were not priced: what they cost is known from below.
        usd = self._drilled_usd.get(place)
        least = float(self._certain_usd[place])
        spec = self.question.specs[place]
        return [
            replace(one, spec=spec, usd_per_month=least if usd is None else usd, is_least_usd=usd is None)
            for one in found
        ]

    # What became of the others.

    def explain(self, most: int | None = EXPLAINED) -> None:
        """Follow some of the courses that were given up to their end, to say by how much they lost.

        Parameters
        ----------
        most : int, optional
            Courses; those that miss a limit by least, for each limit, architecture and size. None for all that may have been cheaper. [1]
        """
        chosen: dict[object, int] = {}
        for place, rejection in sorted(self._lost(), key=lambda lost: (lost[1].miss, lost[1].usd_per_month)):
            i, spec = int(self.courses.index[place]), rejection.spec
            if i not in self.whole:
                # Of a limit that needs no simulation one candidate says enough.
                cpu = 0 if rejection.constraint in KNOWN_BEFORE else spec.task_size.cpu_units
                chosen.setdefault(i if most is None else (rejection.constraint, spec.cpu_architecture, cpu), i)
        courses = list(dict.fromkeys(chosen.values()))[:most]
        done: dict[int, Figures] = {}

        def one(n: int) -> None:
            done[courses[n]] = self.courses.run(courses[n], hours=self.question.needs_hours)

        run_all(one, len(courses), self.courses.is_compiled)
        self.steps += int(self.courses.steps[courses].sum())
        self.whole |= {i: done[i] for i in courses}

    def rejections(self) -> tuple[Rejection, ...]:
        """List the candidates that break a limit and cost less than the winner, or may do so.

        Returns
        -------
        tuple of Rejection
            Cheapest first; each by the limit that it misses by most.
        """
        return tuple(sorted((lost for _, lost in self._lost()), key=lambda lost: lost.usd_per_month))

    def _lost(self) -> Iterator[tuple[int, Rejection]]:
        """Candidates that break a limit, with positions; those whose bill is known to be larger than the winner's are left out."""
        most = self.best.usd_per_month if self.best is not None else math.inf
        known = np.isin(self.courses.index, list(self.whole))
        given_up = np.isin(self.courses.index, list(self.partial)) & ~known
        places = np.flatnonzero(known)
        for place, broken in self._each(places, self.whole):
            broken = broken or self._drilled_of(place)
            if broken and not _without_rate(broken) and broken[0].usd_per_month < most:
                yield place, worst(broken)
        for place, broken in self._finished_at_best().items():
            if broken and given_up[place] and not _without_rate(broken) and broken[0].usd_per_month < most:
                yield place, worst(broken)
        seen = {*self.whole, *self.partial}
        rest = [i for i, places in enumerate(self._places) if i not in seen and self._certain_usd[places].min() < most]
        for place, broken in self.at_best(rest).items():
            if broken and not _without_rate(broken) and broken[0].usd_per_month < most:
                yield place, worst(broken)

    def _finished_at_best(self) -> dict[int, list[Rejection]]:
        """Limits that the candidates of courses that were given up break, whatever came."""
        new = [i for i in self.partial if i not in self._finished]
        if new:
            figures = {i: self.bounds.finished_at_best(i, self.partial[i]) for i in new}
            places = np.sort(np.concatenate([self._places[i] for i in new]))
            broken = dict(zip(places.tolist(), self._broken(places, figures, partial=True), strict=True))
            for i in new:
                self._finished[i] = {place: broken[place] for place in self._places[i].tolist()}
        return {place: row for i in self.partial for place, row in self._finished[i].items()}

    def _each(
        self, places: NDArray[np.int64], figures: dict[int, Figures], partial: bool = False
    ) -> Iterator[tuple[int, list[Rejection]]]:
        if places.size:
            yield from zip(places.tolist(), self._broken(places, figures, partial), strict=True)

    def none_left(self) -> RateNotFound | NoFeasiblePlan:
        """Say why no candidate keeps the promise.

        Returns
        -------
        NoFeasiblePlan or RateNotFound
            With the rejections, nearest miss first.
        """
        q = self.question
        self._explain_nearest()
        best = self.at_best(range(len(self._places)))
        broken: list[list[Rejection]] = [best[place] for place in range(len(q.specs))]
        for i, row in self._finished_at_best().items():
            broken[i] = row or broken[i]
        for i, row in self._each(np.flatnonzero(np.isin(self.courses.index, list(self.whole))), self.whole):
            broken[i] = row or self._drilled_of(i)
        left = [i for i, row in enumerate(broken) if row]
        return none_left([q.specs[i] for i in left], [broken[i] for i in left], self.unknown.values())

    def _explain_nearest(self) -> None:
        """Follow courses to their end until it is sure which misses its limit by least."""
        nearest: dict[int, float] = {}
        for place, broken in self._finished_at_best().items():
            if broken:
                i = int(self.courses.index[place])
                nearest[i] = min(nearest.get(i, math.inf), worst(broken).miss)
        known = np.flatnonzero(np.isin(self.courses.index, list(self.whole)))
        misses = [worst(broken).miss for _, broken in self._each(known, self.whole) if broken]

        least = min(misses, default=math.inf)
        for i in sorted(nearest, key=lambda i: (nearest[i], i)):
            if nearest[i] >= least:
                break
            self.whole[i] = self.courses.run(i, hours=self.question.needs_hours)
            self.steps += int(self.courses.steps[i])
            places = np.flatnonzero(self.courses.index == i)
            least = min([least, *(worst(broken).miss for _, broken in self._each(places, self.whole) if broken)])

    @property
    def effort(self) -> Effort:
        """How much was simulated."""
        return Effort(
            len(self.question.specs),
            0 if self._is_again else len(self.courses.dynamics),
            len(self.whole) - self._n_known,
            len(set(self.partial) - set(self.whole)),
            self.steps,
            0 if self._is_again else int(self.courses.steps.sum()),
        )

    # Shorthands.

    def _pretend(
        self, task_hours: float | NDArray[np.float64], launched: float | NDArray[np.float64], on_spot: bool = False
    ) -> Simulation:
        n = len(self.question.specs)
        spot = np.array([on_spot and spec.capacity_provider_strategy.uses_spot for spec in self.question.specs])
        hours, started = (np.broadcast_to(np.asarray(x, dtype=np.float64), n) for x in (task_hours, launched))
        return pretended(self.question.specs, self.courses, hours, spot, started)

    def _month(self, run: Simulation) -> BilledMonth:
        q = self.question
        month = BilledMonth(q.workload, run, q.application, q.hours_per_month, q.rates.region, q.behavior, q.extras)
        # What depends on the traffic alone is the same for all.
        if self._capacity_units is None:
            self._capacity_units = month.capacity_units
        month.__dict__["capacity_units"] = self._capacity_units
        return month

    def _simulation(self, places: NDArray[np.int64], figures: dict[int, Figures]) -> Simulation:
        q = self.question
        specs = [q.specs[place] for place in places]
        hours = q.needs_hours and all(
            figures[int(i)].billed_s_by_hour is not None for i in np.unique(self.courses.index[places])
        )
        return self.courses.simulation(specs, self.courses.index[places], figures, keep_hours=hours)

    def _broken(
        self, places: NDArray[np.int64], figures: dict[int, Figures], partial: bool = False
    ) -> list[list[Rejection]]:
        """Limits that candidates break, by what was found of their courses; with their least bills if that is not all."""
        q = self.question
        month = self._month(self._simulation(places, figures))
        bills = price_month(month, q.rates)
        if partial:
            hours = month.simulation.billed_task_hours
            lines = CostLines(
                *(
                    getattr(self.lines, name)[places]
                    for name in ("fixed_usd", "usd_per_task_hour", "usd_per_spot_task_hour", "spot_share")
                )
            )
            bills = replace(bills, total_usd=lines.least_usd(hours))
        elif self.question.needs_hours:
            # What Savings Plans make of each bill is found for those alone that could win.
            hours = month.simulation.billed_task_hours - month.simulation.spot_billed_task_hours
            bills = replace(bills, total_usd=bills.total_usd - self._most_saved_per_task_hour[places] * hours)
        broken = self._with_paid(month.specs, broken_limits(month, q.promise, bills, self.deciding))
        if partial:
            broken = [self._whatever_comes(row) for row in broken]
        elif self.question.needs_hours:
            broken = [[replace(one, is_least_usd=True) for one in row] for row in broken]
        return self._noted(broken)

    def _noted(self, broken: list[list[Rejection]]) -> list[list[Rejection]]:
        """Keep in mind for want of which rates candidates were left out."""
        if self.unknown:
            self.missed.update(one.unit for row in broken for one in row if one.constraint == "rate")
        return broken

    def _with_paid(self, specs: Sequence[ServiceSpec], broken: list[list[Rejection]]) -> list[list[Rejection]]:
        """Reject candidates of which it is not known what Savings Plans pay, where of others it is."""
        if not self._paid_unknown or self._by_on_demand:
            return broken
        return [
            [*row, Rejection("rate", 0.0, math.inf, self._paid_unknown[spec.cpu_architecture].price, spec, math.nan)]
            if spec.cpu_architecture in self._paid_unknown
            else row
            for spec, row in zip(specs, broken, strict=True)
        ]

    @staticmethod
    def _whatever_comes(broken: list[Rejection]) -> list[Rejection]:
        """Keep what is broken for certain, though not all is known of the course."""
        # Which task-hours are on Fargate Spot is not known before, so nor is which rate they need.
        certain = [
            one for one in broken if one.constraint != "rate" or not one.spec.capacity_provider_strategy.uses_spot
        ]
        return [replace(one, is_partial=one.constraint not in KNOWN_BEFORE, is_least_usd=True) for one in certain]

    @cached_property
    def _most_saved_per_task_hour(self) -> NDArray[np.float64]:
        """Say what Savings Plans can save of each On-Demand task-hour at the most. [USD/month/task-h]"""
        q = self.question
        windows = q.application.is_windows
        saved = np.zeros(len(q.specs))
        if self._by_on_demand:
            return saved
        for architecture, kind in ((X86_64, "windows" if windows else "linux_x86"), (ARM64, "linux_arm")):
            members = np.array([spec.cpu_architecture == architecture for spec in q.specs])
            sizes = [q.specs[place].task_size for place in np.flatnonzero(members)]
            for leg, amounts in (("vcpu", [size.vcpu for size in sizes]), ("gb", [size.memory_gb for size in sizes])):
                on_demand = q.rates.known.get(f"fargate_{kind}_{leg}_hour")
                if on_demand is None or not sizes:
                    continue
                usd = float(on_demand.cost(1.0))
                for plan in {plan for purchase in q.purchases for plan in purchase}:
                    rate = q.rates.known.get(plan.option.price_of(f"{kind}_{leg}"))
                    if rate is not None:
                        usd = min(usd, float(rate.cost(1.0)))
                saved[members] += np.array(amounts) * (float(on_demand.cost(1.0)) - usd)
        return saved * q.hours_per_month / q.workload.load.period_hours


def _nothing() -> None:
    """Tell nobody."""


def _alone(run: Simulation, n: int) -> Simulation:
    """Take one candidate out of a simulation."""
    arrays = {
        name: getattr(run, name)[n : n + 1]
        for name in run.__dataclass_fields__
        if isinstance(getattr(run, name), np.ndarray)
    }
    by_provider = {name: values[n : n + 1] for name, values in run.billed_task_s_by_hour.items()}
    return replace(run, specs=(run.specs[n],), series={}, billed_task_s_by_hour=by_provider, **arrays)


def _comparable(usd: float) -> float:
    """Round to so many digits that the order of a sum does not matter, whatever the unit of money."""
    if not math.isfinite(usd):
        return usd
    mantissa, exponent = math.frexp(usd)
    return math.ldexp(round(mantissa / _SAME) * _SAME, exponent)


def _target_percent(spec: ServiceSpec) -> float:
    if not spec.scaling:
        return math.inf
    targets = [
        policy.target_value
        for policy in spec.scaling
        if isinstance(policy, TargetTrackingScalingPolicy) and policy.metric.kind == "cpu"
    ]
    return targets[0] if targets else _LIKELY_PERCENT


def _without_rate(broken: Iterable[Rejection]) -> bool:
    return any(rejection.constraint == "rate" for rejection in broken)
