import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { resolve } from 'node:path';
import { findBinaries } from '../test/kubernetes/kubernetes-binaries.ts';
import { applyLatency } from './apply-latency.ts';
import { assignmentCost } from './assignment-cost.ts';
import { bundles } from './bundles.ts';
import { claims } from './claims.ts';
import { fanOutCost } from './fan-out-cost.ts';
import { gatewayCost } from './gateway/gateway-cost.ts';
import { idlePollCost } from './idle-poll-cost.ts';
import { largeStack } from './large-stack.ts';
import { orderLatency } from './order-latency.ts';
import { pollRhythm } from './poll-rhythm.ts';
import { pollThroughput } from './poll-throughput.ts';
import { readLists } from './read-lists.ts';
import { type BenchTable, markdown } from './statistics.ts';
import { templateCost } from './template-cost.ts';
import { yamlCost } from './yaml-cost.ts';

/**
 * `npm run bench [-- <names>]`: runs the benchmarks and prints their tables. A run of all is written to docs/benchmarks.md; after a run of
 * some their tables are replaced in it.
 */
const BENCHMARKS: Record<string, { needsKubernetes: boolean; run(): Promise<BenchTable> }> = {
  idle: { needsKubernetes: false, run: idlePollCost },
  assignments: { needsKubernetes: false, run: assignmentCost },
  fanout: { needsKubernetes: false, run: fanOutCost },
  poll: { needsKubernetes: false, run: pollThroughput },
  bundles: { needsKubernetes: false, run: bundles },
  rhythm: { needsKubernetes: false, run: pollRhythm },
  lists: { needsKubernetes: false, run: readLists },
  yaml: { needsKubernetes: false, run: yamlCost },
  templates: { needsKubernetes: false, run: templateCost },
  claims: { needsKubernetes: false, run: claims },
  gateway: { needsKubernetes: false, run: gatewayCost },
  latency: { needsKubernetes: true, run: applyLatency },
  orders: { needsKubernetes: true, run: orderLatency },
  large: { needsKubernetes: true, run: largeStack },
};

const chosen = process.argv.slice(2);
const unknown = chosen.filter((name) => !(name in BENCHMARKS));
if (unknown.length > 0) {
  process.stderr.write(`no such benchmark: ${unknown.join(', ')}; there are ${Object.keys(BENCHMARKS).join(', ')}\n`);
  process.exit(2);
}
const kubernetes = findBinaries() !== undefined;
const sections: string[] = [];
for (const [name, { needsKubernetes, run }] of Object.entries(BENCHMARKS)) {
  if (chosen.length > 0 && !chosen.includes(name)) continue;
  if (needsKubernetes && !kubernetes) {
    process.stdout.write(`${name}: skipped, it needs a Kubernetes API server: npm run cluster:build\n\n`);
    continue;
  }
  const section = markdown(await run());
  process.stdout.write(`${section}\n`);
  sections.push(section);
}
const path = resolve(import.meta.dirname, '../docs/benchmarks.md');
if (sections.length === Object.keys(BENCHMARKS).length) writeFileSync(path, document(sections));
else if (chosen.length > 0) writeFileSync(path, sections.reduce(withSection, readFileSync(path, 'utf8')));
process.stdout.write('written to docs/benchmarks.md\n');
process.exit(0);

function document(tables: readonly string[]): string {
  const model = cpus()[0]?.model ?? 'unknown processor';
  const machine = `${cpus().length} × ${model}, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()}, Node ${process.version}`;
  return `# Benchmarks

Written by \`npm run bench\` on ${machine}; server, store, agent, API server and caller share it. Times depend on the machine and its
other work, so compare only figures of one run. The figures of Brokkr 0.9.1 were measured on PostgreSQL on a two-core machine: one idle
agent cycle costs its server 5.0, 7.2, 24 and 201 ms of CPU at 0, 10, 100 and 1,000 stacks.

${tables.join('\n')}`;
}

/** The document with this table instead of the one with the same title, or behind the others. */
function withSection(text: string, section: string): string {
  const [title = ''] = section.split('\n');
  const parts = text.split(/^(?=## )/m);
  const place = parts.findIndex((part) => part.startsWith(`${title}\n`));
  const replaced = place < 0 ? [...parts, section] : parts.with(place, section);
  return `${replaced.map((part) => part.trimEnd()).join('\n\n')}\n`;
}
