#!/usr/bin/env python3
"""Rows of a Markdown table from the lines of `agon bench scheduler` on standard input, for people and for
net/capacity.md: agon bench scheduler | tests/bench/scheduler_table.py"""
import json, sys

print("| workers | waits for | useful | idle | audits | twice | lost | makespan / ideal | messages/s | kB/s | blobs MB/s "
      "| µs/task | slowest call ms |")
print("|" + "---:|" + "---|" + "---:|" * 11)
for line in sys.stdin:
    d = json.loads(line)
    if d["bench"] != "scheduler":
        continue
    shares = " | ".join(f"{100 * d['share_' + k]:.1f} %" for k in ("useful", "idle", "audits", "twice", "lost"))
    print(f"| {d['workers']:,} | {d['waits']} | {shares} | {d['ratio_makespan']:.2f} | {d['messages_per_second']:,.0f} "
          f"| {d['bytes_per_second'] / 1e3:,.1f} | {d['blob_bytes_per_second'] / 1e6:,.1f} "
          f"| {d['microseconds_per_task']:.0f} | {d['slowest_call_microseconds'] / 1e3:.1f} |")
