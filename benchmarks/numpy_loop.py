"""The simulation of one CPU target tracking policy in numpy, over many candidates at once: what the compiled loop is compared with.

It does what the loop does, with the same rings of changes, and gives the same totals and histogram; an array holds one number for each
candidate. Where few candidates act in a step, only those are touched.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

N_BINS = 512
BILLED, RUNNING, HEALTHY = range(3)


@dataclass
class Totals:
    billed_task_s: np.ndarray
    running_task_s: np.ndarray
    launched: np.ndarray
    removed: np.ndarray
    steps_over_capacity: np.ndarray
    refused_requests: np.ndarray
    peak_desired_count: np.ndarray
    peak_utilization: np.ndarray
    histogram: np.ndarray


def run(
    requests_per_s, record_from, step_s, cpu_s, task_vcpu, task_requests_per_s, minimum, maximum, target, out_cooldown_s, in_cooldown_s,
    lag_s, n_out, n_in, low_factor, step_percent, unbilled_s, running_after_s, ready_wait_s, drain_s, minimum_billed_s,
):  # fmt: skip
    n = minimum.size
    everyone = np.arange(n)
    height = int(maximum.max())
    n_ring = (max(running_after_s + ready_wait_s.max(), drain_s, unbilled_s + minimum_billed_s) // step_s) + 4
    ring = np.zeros((n_ring, 3, n))
    stack = np.full((3, n, height), -(10**9), dtype=np.int64)
    place_in_stack = np.arange(height)
    lag_steps, offset_s = divmod(lag_s, step_s)
    metrics = np.full((lag_steps + 1, n), np.nan)
    low_threshold = np.round(low_factor * target * 1e6) / 1e6
    count, desired, base = minimum.copy(), minimum.copy(), minimum.copy()
    launches = np.zeros(n, dtype=np.int64)
    high_run, low_run = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64)
    out_end, in_end = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64)
    level = np.repeat((minimum * float(step_s))[None, :], 3, axis=0)
    totals = Totals(*(np.zeros(n) for _ in range(8)), np.zeros((n, N_BINS)))
    flat = totals.histogram.ravel()
    first_bin = everyone * N_BINS

    def change(which, who, second, by):
        step = second // step_s
        now = by * ((step + 1) * step_s - second)
        ring[step % n_ring, which, who] += now
        ring[(step + 1) % n_ring, which, who] += by * step_s - now

    for k in range(requests_per_s.size):
        recorded = k >= record_from
        if k > lag_steps:
            metric = metrics[k % (lag_steps + 1)]
            high_run = (high_run + 1) * (metric > target)
            low_run = (low_run + 1) * (metric < low_threshold)
            now = k * step_s + offset_s
            wants_out = high_run >= n_out
            acts = (wants_out & (desired < maximum)) | ((low_run >= n_in) & (desired > minimum) & (now >= in_end))
            who = np.flatnonzero(acts)
            if who.size:
                running = ((stack[1, who] <= now) & (place_in_stack < count[who, None])).sum(axis=1)
                out, m, old = wants_out[who], metric[who], desired[who]
                basis = np.where(now < out_end[who], base[who], running)
                want = np.ceil(np.where(out, basis, running) * (m - 1e-6) / target[who]).astype(np.int64)
                step = np.maximum(1, np.floor(running * step_percent / 100 + 1e-9).astype(np.int64))
                less = np.where(want < running, np.maximum(want, running - step), old)
                want = np.where(out, np.maximum(want, old), np.minimum(less, old))
                want = np.clip(want, minimum[who], maximum[who])
                more = want - old
                grows, shrinks = more > 0, more < 0
                rising = who[grows]
                base[rising], out_end[rising], in_end[rising] = basis[grows], now + out_cooldown_s, now
                in_end[who[shrinks]] = now + in_cooldown_s
                desired[who] = want
                for j in range(int(more.max(initial=0))):
                    some = who[more > j]
                    running_at = np.full(some.size, now + running_after_s)
                    healthy_at = running_at + ready_wait_s[launches[some] % ready_wait_s.size]
                    stack[0, some, count[some]] = now + unbilled_s
                    stack[1, some, count[some]] = running_at
                    stack[2, some, count[some]] = healthy_at
                    change(BILLED, some, np.full(some.size, now + unbilled_s), 1)
                    change(RUNNING, some, running_at, 1)
                    change(HEALTHY, some, healthy_at, 1)
                    count[some] += 1
                    launches[some] += 1
                for j in range(int(-more.min(initial=0))):
                    some = who[-more > j]
                    count[some] -= 1
                    billed_from, running_at, healthy_at = stack[:, some, count[some]]
                    until = np.maximum(np.where(healthy_at <= now, now + drain_s, now), billed_from + minimum_billed_s)
                    change(BILLED, some, np.where(now <= billed_from, billed_from, until), -1)
                    change(RUNNING, some, np.maximum(now, running_at), -1)
                    change(HEALTHY, some, np.maximum(now, healthy_at), -1)
                if recorded:
                    totals.launched[who] += np.maximum(more, 0)
                    totals.removed[who] += np.maximum(-more, 0)
        level += ring[k % n_ring]
        ring[k % n_ring] = 0
        billed_s, running_s, healthy_s = level
        arrivals = requests_per_s[k] * step_s
        capacity = healthy_s * task_requests_per_s
        served = np.minimum(arrivals, capacity)
        utilization = arrivals / capacity
        metric = np.minimum(100.0 * served * cpu_s / (running_s * task_vcpu), 100.0)
        metrics[k % (lag_steps + 1)] = np.rint(metric * 1e6) / 1e6
        if recorded:
            totals.billed_task_s += billed_s
            totals.running_task_s += running_s
            np.maximum(totals.peak_desired_count, desired, out=totals.peak_desired_count)
            np.maximum(totals.peak_utilization, utilization, out=totals.peak_utilization)
            over = arrivals > capacity * (1.0 + 1e-9)
            if over.any():
                totals.steps_over_capacity += over
                totals.refused_requests += arrivals - served
                place = np.minimum((utilization * N_BINS + 1e-9).astype(np.int64), N_BINS - 1)
                flat[(first_bin + place)[~over]] += arrivals
            else:
                flat[first_bin + np.minimum((utilization * N_BINS + 1e-9).astype(np.int64), N_BINS - 1)] += arrivals
    return totals
