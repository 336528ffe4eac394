import { rendered } from '../lib/fleet/templates/instantiate.ts';
import { parseMustache, renderMustache } from '../lib/fleet/templates/mustache/mustache.ts';
import { parseTera, renderTera } from '../lib/fleet/templates/tera/tera.ts';
import type { ValueObject } from '../lib/fleet/templates/tera/values.ts';
import { type BenchTable, percentile, rounded } from './statistics.ts';

/** A Deployment and a Service again and again, with a loop, a condition and a filter. */
const TEMPLATE_BYTES = 6_500;
const RUNS = 2_000;

const PARAMETERS: ValueObject = {
  name: 'shop',
  image: 'registry.example.com/shop',
  tag: '1.4.2',
  replicas: 3,
  env: { LOG_LEVEL: 'info', REGION: 'eu-central-1', CACHE: 'redis:6379' },
  envList: [
    { key: 'LOG_LEVEL', value: 'info' },
    { key: 'REGION', value: 'eu-central-1' },
    { key: 'CACHE', value: 'redis:6379' },
  ],
  probe: true,
};

/** The same template in the forms of each engine. */
interface Forms {
  each: string;
  endEach: string;
  key: string;
  when: string;
  endWhen: string;
}
const TERA: Forms = {
  each: '{% for key, value in env %}',
  endEach: '{% endfor %}',
  key: '{{ key | upper }}',
  when: '{% if probe and replicas > 1 %}',
  endWhen: '{% endif %}',
};
const MUSTACHE: Forms = { each: '{{#envList}}', endEach: '{{/envList}}', key: '{{ key }}', when: '{{#probe}}', endWhen: '{{/probe}}' };

const part = (n: number, { each, endEach, key, when, endWhen }: Forms) => `---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ name }}-${n}
  labels: {app.kubernetes.io/name: {{ name }}-${n}, app.kubernetes.io/version: "{{ tag }}", app.kubernetes.io/part-of: platform}
spec:
  replicas: {{ replicas }}
  selector: {matchLabels: {app.kubernetes.io/name: {{ name }}-${n}}}
  template:
    metadata: {labels: {app.kubernetes.io/name: {{ name }}-${n}}}
    spec:
      containers:
        - name: main
          image: {{ image }}-${n}:{{ tag }}
          env:
${each}            - {name: ${key}, value: "{{ value }}"}
${endEach}${when}          readinessProbe: {httpGet: {path: /healthz, port: 8080}, periodSeconds: 5}
${endWhen}---
apiVersion: v1
kind: Service
metadata: {name: {{ name }}-${n}, labels: {app.kubernetes.io/name: {{ name }}-${n}}}
spec: {selector: {app.kubernetes.io/name: {{ name }}-${n}}, ports: [{port: 80, targetPort: 8080}]}
`;
const textOf = (forms: Forms): string => {
  let text = '';
  for (let n = 1; text.length < TEMPLATE_BYTES; n++) text += part(n, forms);
  return text;
};
const SCHEMA = JSON.stringify({
  type: 'object',
  required: ['name'],
  properties: { name: { type: 'string' }, replicas: { type: 'integer', minimum: 1 } },
});

/** What a template of 6.5 KB costs: to render it once it is parsed, and to parse and render it. */
export async function templateCost(): Promise<BenchTable> {
  const engines = [
    { name: 'mustache', text: textOf(MUSTACHE), parse: parseMustache, render: renderMustache, aim: ['30', ''] },
    { name: 'tera', text: textOf(TERA), parse: parseTera, render: renderTera, aim: ['100', '1000'] },
  ] as const;
  const rows = engines.map(({ name, text, parse, render, aim }) => {
    const template = parse(text);
    const cached = median(() => render(template as never, PARAMETERS));
    const cold = median(() => render(parse(text) as never, PARAMETERS));
    const whole = median(() => rendered({ engine: name, template_content: text, parameters_schema: SCHEMA }, PARAMETERS));
    return [name, String(text.length), rounded(cached, 0), aim[0], rounded(cold, 0), aim[1], rounded(whole, 0), rounded(1e6 / whole, 0)];
  });
  return {
    title: 'Templates of 6.5 KB',
    about: `The median of ${RUNS} runs in one process. Whole: the parameters are checked by a schema, and the check and the rendering run under their time limits. Aims: mustache as measured elsewhere.`,
    columns: ['engine', 'bytes', 'parsed before, µs', 'aim', 'parsed anew, µs', 'aim', 'whole, µs', 'instantiations a second'],
    rows,
  };
}

/** In microseconds. */
function median(run: () => unknown): number {
  const times: number[] = [];
  // The first runs are still compiled.
  for (let n = -RUNS; n < RUNS; n++) {
    const start = process.hrtime.bigint();
    run();
    if (n >= 0) times.push(Number(process.hrtime.bigint() - start) / 1_000);
  }
  return percentile(times, 0.5);
}
