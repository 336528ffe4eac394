import { attempts, define, input, inTheEndSays, kubectl, looks, post, says, saysNothing, withNamespace } from './steps.ts';
import { describeStories, type Step } from './stories.ts';

const definition = input('observed-generation-as-text.0');
const withoutSubresource = definition
  .replace('subresources: {status: {}}', '')
  .replace('type: string', 'x-kubernetes-preserve-unknown-fields: true');
const first = input('observed-generation-as-text.1');
const second = input('observed-generation-as-text.2');
const status = (fields: object, ...more: string[]): Step =>
  kubectl(
    'patch',
    'canaries.ship.NAMESPACE.example.com',
    'checkout',
    '--type=merge',
    `--patch=${JSON.stringify({ status: fields })}`,
    ...more,
  );
const observed = (generation: unknown): Step => status({ observedGeneration: generation }, '--subresource=status');

describeStories('the generation that a controller has seen', (story) => {
  story('is read as a number when it is written as text', [
    withNamespace,
    define(definition),
    post(first),
    says('SUCCESS'),
    observed('1'),
    post(second),
    attempts('check-health', 2),
    saysNothing,
    observed('2'),
    says('SUCCESS'),
    saysNothing,
  ]);

  story(
    'is a failure when it stays behind, as text too',
    [
      withNamespace,
      define(definition),
      post(first),
      says('SUCCESS'),
      observed('1'),
      post(second),
      says('FAILURE', /Canary\/\S+\/checkout/, /not seen/),
      observed('2'),
      inTheEndSays('SUCCESS'),
    ],
    { healthTimeoutMs: 2_000 },
  );

  story(
    'is not compared when it is a hash',
    [
      withNamespace,
      define(definition),
      post(first),
      says('SUCCESS'),
      observed('sha256:5f2c'),
      post(second),
      says('SUCCESS'),
      looks(1),
      saysNothing,
    ],
    { healthTimeoutMs: 5_000 },
  );

  story(
    'is not compared for a kind without a status subresource, whose status changes its generation',
    [
      withNamespace,
      define(withoutSubresource),
      post(first),
      says('SUCCESS'),
      status({ observedGeneration: 1 }),
      status({ observedGeneration: 1, note: 'seen' }),
      post(second),
      says('SUCCESS'),
      looks(1),
      saysNothing,
    ],
    { healthTimeoutMs: 5_000 },
  );
});
