# SPDX-License-Identifier: GPL-3.0-or-later
"""Samples to Markdown tables."""
import statistics

DRIFT = 1.5  # a last round this much dearer than the first is worth a word


def is_bulk(mode):
    return mode.startswith("bulk") or mode == "mitm-bulk"


def cost_of(mode, sample):
    """What a sample cost: CPU s per GB for bulk loads, per 10,000 requests for the others."""
    return sample.get("cpu_gb" if is_bulk(mode) else "cpu_10k")


def rate_of(mode, sample):
    return sample["bytes"] / sample["seconds"] / 1e6 if is_bulk(mode) else sample["rps"]


def one_line(mode, sample):
    cost = cost_of(mode, sample)
    text = f"{'-' if cost is None else format(cost, '.3f')} CPU s, {rate_of(mode, sample):.0f}/s"
    problems = [f"{sample[key]} {key}" for key in ("errors", "unexpected") if sample[key]]
    if sample["first_error"]:
        problems.append(sample["first_error"])
    return ", ".join([text, *problems])


def paired_ratio(mode, samples, reference):
    """Median, least and most of the rounds' ratios to the reference in the same round."""
    ratios = [cost_of(mode, mine) / cost_of(mode, theirs)
              for mine, theirs in zip(samples, reference)
              if cost_of(mode, mine) and cost_of(mode, theirs)]
    if not ratios:
        return "-"
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})"


def notes_of(mode, samples):
    notes = []
    for key in ("errors", "unexpected", "reconnects"):
        total = sum(sample[key] for sample in samples)
        if total:
            notes.append(f"{total} {key}")
    first, last = cost_of(mode, samples[0]), cost_of(mode, samples[-1])
    if first and last and last > first * DRIFT:
        notes.append(f"grew {last / first:.1f}x")
    return ", ".join(notes)


def row(mode, name, samples, reference):
    costs = sorted(cost for cost in (cost_of(mode, s) for s in samples) if cost is not None)
    best = max(samples, key=lambda sample: rate_of(mode, sample))
    median_rate = statistics.median(rate_of(mode, sample) for sample in samples)
    latency = "" if is_bulk(mode) else f"{best['p50_us'] / 1000:.2f} / {best['p99_us'] / 1000:.2f}"
    cost = f"{costs[0]:.3f} / {statistics.median(costs):.3f}" if costs else "-"
    busy = statistics.median(sample["busy"] for sample in samples)
    return (f"| {name} | {cost} | {paired_ratio(mode, samples, reference)} | "
            f"{rate_of(mode, best):.0f} / {median_rate:.0f} | {latency} | {busy:.2f} | "
            f"{notes_of(mode, samples)} |")


def mode_table(mode, of_mode, reference):
    unit = "GB" if is_bulk(mode) else "10k"
    rate = "MB/s" if is_bulk(mode) else "requests/s"
    if reference not in of_mode:
        reference = next(iter(of_mode))
    lines = [f"### {mode}", "",
             f"| proxy | CPU s/{unit} min / median | ratio to {reference} (range) | "
             f"{rate} best / median | ms p50 / p99 | cores busy | notes |",
             "|---|---|---|---|---|---|---|"]
    lines += [row(mode, name, samples, of_mode[reference]) for name, samples in of_mode.items()]
    return "\n".join(lines)


def memory_table(memory, idle):
    lines = ["### memory (PSS of the tree, MB)", "",
             "| proxy | after the load | with idle tunnels | KB each |", "|---|---|---|---|"]
    for name, after in memory.items():
        held, each = "", ""
        if name in idle:
            sample = idle[name]
            warning = "" if sample["ready"] else ", NOT all open"
            held = f"{sample['held']:.1f} ({sample['count']}{warning})"
            each = f"{(sample['held'] - sample['before']) * 1024 / sample['count']:.1f}"
        lines.append(f"| {name} | {after:.1f} | {held} | {each} |")
    return "\n".join(lines)


def tables(samples, memory, idle, reference):
    parts = [mode_table(mode, of_mode, reference) for mode, of_mode in samples.items()]
    return "\n\n".join([*parts, memory_table(memory, idle)])
