/** `node --expose-gc yaml-cost-child.ts [shape…]`: reads these texts one after another, and prints what each cost as a line of JSON. */
import { loadYamlDocuments } from '../../lib/fleet/protocol/yaml-reader.ts';
import { YAML_SHAPES } from './yaml-shapes.ts';

for (const name of process.argv.slice(2)) {
  const text = YAML_SHAPES[name]?.() ?? '';
  // The garbage of making texts is no cost of reading them.
  globalThis.gc?.();
  const before = process.cpuUsage();
  let outcome = 'taken';
  try {
    await loadYamlDocuments(text);
  } catch (error) {
    outcome = error instanceof Error && 'code' in error ? String(error.code) : String(error);
  }
  const { user, system } = process.cpuUsage(before);
  console.log(JSON.stringify({ name, outcome, cpuMs: (user + system) / 1000, peakMegabytes: process.resourceUsage().maxRSS / 1024 }));
}
