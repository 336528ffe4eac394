import * as z from 'zod';
import type { Example } from './recorded-example.ts';

/** An intended difference from the answers of Brokkr 0.9.1. */
export interface Difference {
  reason: string;
  /** Whether an example is affected. */
  about: (example: Example) => boolean;
  /** The members of the example that a recording of this server would have. */
  ours: (example: Example) => Partial<Example>;
}

const keyed =
  (...keys: string[]) =>
  (example: Example) =>
    keys.includes(example.key);

export const differences: readonly Difference[] = [
  {
    reason: "every error is JSON, while the refusals of Brokkr's framework are plain text",
    about: ({ type, answer }) => type?.startsWith('text/plain') === true && answer === '<text>',
    ours: () => ({ type: undefined, answer: { code: '<text>', message: '<text>', error: '<text>' } }),
  },
  {
    reason: "stack names are unique within a generator, since a 409 would reveal another tenant's names",
    about: keyed('POST /stacks as genB → 409'),
    ours: () => ({ status: 201, answer: { id: '<id>', name: 'sa-<run>', description: null, generator_id: '<id genB>', deleted_at: null } }),
  },
  {
    reason: 'an event without a type is refused, so that no list contains one',
    about: keyed('GET /agents/<id agentA>/events as admin → 200', 'GET /agent-events as admin → 200'),
    ours: ({ answer }) => ({ answer: Events.parse(answer).filter(({ event_type }) => event_type !== '') }),
  },
  {
    reason: "a schema's defaults are filled in before a template is rendered, so that the schema's value goes before the template's",
    about: keyed(
      'POST /stacks/<id stackC>/deployment-objects/from-template as genA → 201',
      'POST /stacks/<id stackC>/deployment-objects/from-template as genA → 201 (2)',
    ),
    ours: ({ answer }) => ({ answer: JSON.parse(JSON.stringify(answer).replace('port: 8080', 'port: 99')) }),
  },
  {
    reason: 'an agent may register only itself, while Brokkr registers the caller, whichever agent the body names',
    about: keyed('POST /generators/<id genB>/register as agentC → 201'),
    ours: () => ({ status: 403, answer: { code: 'agent_pak_mismatch', message: '<text>' } }),
  },
];

const Events = z.array(z.looseObject({ event_type: z.string() }));
