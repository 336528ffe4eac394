import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { load } from 'js-yaml';
import * as z from 'zod';
import { loadAgentConfig } from '../../agent/config.ts';

/** The agent, its README and its chart say the same of what nobody has set. */
const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const { agent: chart } = z.object({ agent: z.record(z.string(), z.unknown()) }).parse(load(read('infra/agent/chart/values.yaml')));
const config = loadAgentConfig({ environment: { BROKKR__AGENT__PAK: 'key' }, readFile: () => '' });

/** A setting's name in the README, in the chart, and its default in the agent. */
const SETTINGS = [
  { variable: 'POLLING_INTERVAL', value: 'pollingIntervalSeconds', used: config.pollingIntervalMs / 1_000 },
  { variable: 'MAX_RETRIES', value: 'maxRetries', used: config.maxRetries },
  { variable: 'DRIFT_INTERVAL', value: 'driftIntervalSeconds', used: config.driftIntervalMs / 1_000 },
  { variable: 'HEALTH_TIMEOUT_SECONDS', value: 'healthTimeoutSeconds', used: config.healthTimeoutMs / 1_000 },
  { variable: 'FORCE_CONFLICTS', value: 'forceConflicts', used: config.forceConflicts },
  { variable: 'MASS_DELETION', value: 'massDeletion', used: config.massDeletion },
  { variable: 'LOG_LEVEL', value: 'logLevel', used: config.logLevel },
];

test.each(SETTINGS)('$variable has the same default in the agent, its README and its chart', ({ variable, value, used }) => {
  const row = read('agent/README.md')
    .split('\n')
    .find((line) => line.startsWith(`| \`${variable}\``));
  const documented = row?.split('|')[2]?.trim().replaceAll('`', '');
  expect({ documented, chart: chart[value] }).toEqual({ documented: String(used), chart: used });
});
