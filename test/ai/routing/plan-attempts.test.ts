import { describe, expect, test } from '@jest/globals';
import { health, open, plan, priced, provider, type Situation, tried } from './planning-world.ts';

const [cheap, dear] = [provider('cheap', { models: [priced('m', 1)] }), provider('dear', { models: [priced('m', 4)] })];

describe('scores', () => {
  test('the score is the sum of the features by the weights of the priority', () => {
    const situation: Situation = {
      providers: [cheap, dear],
      health: { cheap: health({ avg_latency_ms: 400, health_score: 0.9 }), dear: health({ avg_latency_ms: 100 }) },
    };
    const { candidates } = plan('m', situation);
    expect(candidates.map(({ provider, features, score }) => ({ id: provider.provider_id, features, score }))).toEqual(
      [
        { id: 'cheap', features: { cost: 1, latency: 0.25, quality: 0.8, health: 0.9 }, score: 0.7375 },
        { id: 'dear', features: { cost: 0.25, latency: 1, quality: 0.8, health: 1 }, score: 0.7625 },
      ].sort((a, b) => b.score - a.score),
    );
  });

  test('a cost counts prompt and answer at their own prices, in 10⁻¹² US dollars', () => {
    const [candidate] = plan('gpt-4', {
      providers: [provider('openai', { type: 'openai' })],
      prompt_tokens: 1_500,
      max_output_tokens: 500,
    }).candidates;
    expect(candidate?.estimated_cost_pico_usd).toBe(75_000_000_000n);
  });

  test.each([
    ['cost', 'cheap'],
    ['latency', 'dear'],
    ['quality', 'good'],
    ['reliability', 'sound'],
  ] as const)('the priority %s puts %s first', (priority, first) => {
    const providers = [
      cheap,
      dear,
      provider('good', { models: [priced('m', 4, { quality: 1 })] }),
      provider('sound', { models: [priced('m', 4)] }),
    ];
    const ill = { health_score: 0.7, avg_latency_ms: 1_000 };
    const measured = {
      cheap: health(ill),
      good: health(ill),
      dear: health({ ...ill, avg_latency_ms: 50 }),
      sound: health({ ...ill, health_score: 1 }),
    };
    expect(plan('m', { providers, priority, health: measured }).attempts[0]?.provider.provider_id).toBe(first);
  });

  test('a provider without prices is neither the cheapest nor the dearest', () => {
    const providers = [dear, cheap, provider('unknown', { models: [{ id: 'm' }] })];
    expect(tried(plan('m', { providers, priority: 'cost' }))).toEqual(['cheap/m', 'unknown/m', 'dear/m']);
  });

  test('before anything is measured, the catalogue’s speeds are compared', () => {
    const groups = [{ id: 'any', targets: [{ model: 'openai/gpt-4' }, { model: 'openai/gpt-4o-mini' }] }];
    const situation: Situation = { providers: [provider('openai', { type: 'openai' })], settings: { groups }, priority: 'latency' };
    expect(tried(plan('any', situation))).toEqual(['openai/gpt-4o-mini', 'openai/gpt-4']);
  });

  test('an excluded provider’s price does not make the others look dear', () => {
    const { attempts } = plan('m', { providers: [cheap, dear], exclude_providers: ['cheap'] });
    expect(attempts[0]?.features.cost).toBe(1);
  });
});

describe('order', () => {
  test('a balanced call follows the owner’s priorities before the scores', () => {
    const providers = [cheap, { ...dear, priority: 10 }];
    expect(tried(plan('m', { providers }))).toEqual(['dear/m', 'cheap/m']);
    expect(tried(plan('m', { providers, priority: 'cost' }))).toEqual(['cheap/m', 'dear/m']);
  });

  test('with equal scores the higher priority is first, then the id', () => {
    const equal = ['b', 'a', 'c'].map((id) => provider(id, { models: [priced('m', 1)], priority: id === 'c' ? 1 : 0 }));
    for (const priority of ['balanced', 'cost'] as const)
      expect(tried(plan('m', { providers: equal, priority }))).toEqual(['c/m', 'a/m', 'b/m']);
  });

  test('a group’s own weights and priorities hold in it, and its priority unless the call has a wish', () => {
    const groups = [
      {
        id: 'g',
        targets: [
          { model: 'cheap/m', priority: 1 },
          { model: 'dear/m', priority: 2 },
        ],
        priority: 'balanced' as const,
      },
    ];
    const settings = { groups, policy: { priority: 'cost' as const } };
    expect(plan('g', { providers: [cheap, dear], settings })).toMatchObject({ priority: 'balanced' });
    expect(tried(plan('g', { providers: [cheap, dear], settings }))).toEqual(['dear/m', 'cheap/m']);
    expect(tried(plan('g', { providers: [cheap, dear], settings, priority: 'cost' }))).toEqual(['cheap/m', 'dear/m']);
    expect(plan('m', { providers: [cheap, dear], settings })).toMatchObject({ priority: 'cost' });
  });

  test('fallbacks come after the planned attempts, in their order, each place once', () => {
    const others = ['x', 'y'].map((id) => provider(id, { models: [priced('n', 1)] }));
    const fallbacks = ['y/n', 'dear/m', 'nobody/n', 'x/n', 'y/n'];
    expect(tried(plan('cheap/m', { providers: [cheap, dear, ...others], fallbacks }))).toEqual(['cheap/m', 'y/n', 'dear/m', 'x/n']);
  });
});

describe('who is not tried', () => {
  test.each<[string, Situation, string]>([
    ['a disabled provider', { providers: [{ ...cheap, enabled: false }] }, 'the provider is disabled'],
    ['a provider that the call excludes', { exclude_providers: ['cheap'] }, 'the call excludes the provider'],
    [
      'a provider that the project excludes',
      { settings: { policy: { priority: 'balanced', exclude_providers: ['cheap'] } } },
      'the project excludes the provider',
    ],
    [
      'a model without a feature that the call needs',
      { providers: [provider('cheap', { models: [priced('m', 1, { features: ['tools'] })] })], required_features: ['tools', 'vision'] },
      'the model has no vision',
    ],
  ])('%s is never tried, and the plan says why', (_case, situation, reason) => {
    const made = plan('m', { providers: [cheap], ...situation });
    expect(made.attempts).toEqual([]);
    expect(made.candidates[0]?.excluded).toBe(reason);
    expect(made.reason).toContain(reason);
    expect(tried(plan('m', { ...situation, providers: [...(situation.providers ?? [cheap]), dear] }))).toEqual(['dear/m']);
  });

  test('a model of which no features are known may do anything', () => {
    expect(tried(plan('m', { providers: [cheap], required_features: ['vision'] }))).toEqual(['cheap/m']);
  });

  test.each<[string, Situation]>([
    ['whose circuit is open', { health: { cheap: open } }],
    ['that refuses our key', { health: { cheap: health({ status: 'inactive' }) } }],
    ['whose model’s context is too small', { providers: [provider('cheap', { models: [priced('m', 1, { context: 999 })] })] }],
  ])('a provider %s is tried only if nothing else is left', (_case, situation) => {
    const providers = situation.providers ?? [cheap];
    expect(tried(plan('m', { ...situation, providers: [...providers, dear] }))).toEqual(['dear/m']);
    expect(tried(plan('m', { ...situation, providers }))).toEqual(['cheap/m']);
    expect(plan('m', { ...situation, providers }).reason).toContain('nothing else is left');
  });

  test('a half-open circuit takes the one call that it is given', () => {
    const half = health({ circuit: { state: 'half_open', opened_at_ms: 0, retry_at_ms: 0, consecutive_failures: 5 } });
    expect(tried(plan('m', { providers: [cheap, dear], health: { cheap: half } }))).toContain('cheap/m');
  });
});

/** A generator of numbers in [0, 1) that gives the same ones for the same seed. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state ^ (state >>> 15), 1 | state) + 0x6d2b79f5) | 0;
    return ((state ^ (state >>> 14)) >>> 0) / 2 ** 32;
  };
}

describe('for thousands of random situations', () => {
  function situation(random: () => number): Situation & { providers: NonNullable<Situation['providers']> } {
    const pick = <T>(...values: T[]): T => values[Math.floor(random() * values.length)] as T;
    const providers = Array.from({ length: 1 + Math.floor(random() * 6) }, (_, index) =>
      provider(`p${index}`, {
        enabled: random() > 0.2,
        priority: pick(0, 0, 1),
        weight: pick(undefined, undefined, 0, 1, 50),
        models: [priced('m', pick(1, 2, 3), { features: pick(undefined, ['tools'], ['tools', 'vision']) })],
      }),
    );
    return {
      providers,
      priority: pick(undefined, 'balanced', 'cost', 'latency', 'quality', 'reliability'),
      exclude_providers: pick([], ['p0'], ['p1', 'p2']),
      required_features: pick([], ['vision'], ['tools']),
      fallbacks: pick([], ['p3/m', 'p0/m'], ['p5/other']),
      health: Object.fromEntries(
        providers.map(({ provider_id }) => [
          provider_id,
          pick(health(), open, health({ avg_latency_ms: 1 + random() * 100, health_score: random() })),
        ]),
      ),
    };
  }

  test('no attempt goes to a place that is excluded, none is twice, and an avoided one stands only among its like', () => {
    const random = seeded(1);
    for (let round = 0; round < 1_500; round++) {
      const given = situation(random);
      const { attempts } = plan('m', { ...given, random });
      expect(attempts.filter(({ excluded }) => excluded !== undefined)).toEqual([]);
      expect(attempts.filter(({ provider }) => !provider.enabled || given.exclude_providers?.includes(provider.provider_id))).toEqual([]);
      expect(new Set(attempts.map(({ target }) => `${target.provider_id}/${target.model}`)).size).toBe(attempts.length);
      expect(new Set(attempts.map(({ avoided }) => avoided === undefined)).size).toBeLessThan(2);
      for (const { score, features } of attempts)
        for (const value of [score, ...Object.values(features)]) expect(value >= 0 && value <= 1).toBe(true);
    }
  });

  test('the order in which providers are listed changes nothing', () => {
    const random = seeded(2);
    for (let round = 0; round < 500; round++) {
      const given = situation(random);
      const [one, other] = [given.providers, [...given.providers].reverse()].map((providers) =>
        plan('m', { ...given, providers, random: seeded(round) }),
      );
      expect(one && tried(one)).toEqual(other && tried(other));
      expect(one?.candidates.map(({ score }) => score)).toEqual(other?.candidates.map(({ score }) => score));
    }
  });
});

describe('weights', () => {
  function shares(weights: (number | undefined)[], more: Partial<Situation> = {}): number[] {
    const random = seeded(7);
    const providers = weights.map((weight, index) => provider(`p${index}`, { weight, models: [priced('m', 1)] }));
    const first = weights.map(() => 0);
    const rounds = 10_000;
    for (let round = 0; round < rounds; round++) {
      const index = Number(plan('m', { providers, random, ...more }).attempts[0]?.provider.provider_id.slice(1));
      first[index] = (first[index] ?? 0) + 1;
    }
    return first.map((count) => count / rounds);
  }

  test.each([
    [
      [80, 20],
      [0.8, 0.2],
    ],
    [
      [1, 1, 2],
      [0.25, 0.25, 0.5],
    ],
    [
      [3, undefined],
      [0.75, 0.25],
    ],
    [
      [0, 5],
      [0, 1],
    ],
    [
      [undefined, undefined],
      [1, 0],
    ],
  ])('calls are spread by the weights %j as %j', (weights, expected) => {
    for (const [index, share] of shares(weights).entries()) expect(share).toBeCloseTo(expected[index] ?? -1, 1.7);
  });

  test('a provider in bad health gets less than its weight', () => {
    const [ill = 1] = shares([50, 50], { health: { p0: health({ health_score: 0.25 }) } });
    expect(ill).toBeCloseTo(0.2, 1.7);
  });

  test('a provider of weight 0 is still a fallback', () => {
    const providers = [0, 5].map((weight, index) => provider(`p${index}`, { weight, models: [priced('m', 1)] }));
    expect(tried(plan('m', { providers }))).toEqual(['p1/m', 'p0/m']);
  });

  test('weights count only among providers of the same priority', () => {
    const providers = [1, 100].map((weight, index) => provider(`p${index}`, { weight, priority: 1 - index, models: [priced('m', 1)] }));
    expect(tried(plan('m', { providers, random: () => 0.99 }))).toEqual(['p0/m', 'p1/m']);
  });
});

test('a group whose targets name no provider has no attempt, and the plan says why', () => {
  const groups = [{ id: 'g', targets: [{ model: 'gone/m' }] }];
  expect(plan('g', { providers: [cheap], settings: { groups } })).toMatchObject({
    attempts: [],
    reason: 'no target of the group g names a provider of this project',
  });
});
