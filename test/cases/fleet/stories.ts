import { afterAll, beforeAll, test } from '@jest/globals';
import type { Agent } from '../../../agent/agent.ts';
import type { Cluster } from '../../../agent/cluster/cluster.ts';
import type { AgentConfig } from '../../../agent/config.ts';
import { inParallel } from '../../../agent/in-parallel.ts';
import { createMemoryFiles } from '../../../agent/state/state-files.ts';
import type { NewAgentEvent } from '../../../lib/fleet/protocol/agent-protocol.ts';
import { type AgentsOnKubernetes, agentsOnKubernetes } from '../../agent/agents-on-kubernetes.ts';
import { createModelControlPlane, type ModelControlPlane } from '../../agent/model-control-plane.ts';
import type { TestCluster } from '../../kubernetes/start-cluster.ts';
import { describeKubernetes } from '../../kubernetes/test-cluster.ts';
import { TEST_CLUSTER_VARIABLE } from '../../kubernetes/test-cluster-note.ts';

/**
 * A story is a list of steps on the real API server: what people do by hand, what a stack posts, and what is then so. Each story has an
 * agent and a namespace of its own, so the stories of a file run side by side.
 */
export interface Story {
  /** In texts, the word NAMESPACE stands for it. Names of the whole cluster contain it, too. */
  namespace: string;
  plane: ModelControlPlane;
  stackId(name: string): string;
  /** The name of the stack that posts now; the first has none. */
  stack: string;
  /** As the administrator, in the story's namespace unless another is given. */
  kubectl(args: readonly string[], stdin?: string): Promise<string>;
  helm: TestCluster['helm'];
  /** As the agent sees it. */
  cluster: Cluster;
  /** A text with the story's own names. */
  own(text: string): string;
  /** Started by the first who asks. */
  agent(): Promise<Agent>;
  /** The process ends, and another one with the same disk takes over. */
  restart(): Promise<void>;
  end(): Promise<void>;
  /** What was said of the present stack and not read yet. */
  unread(): NewAgentEvent[];
  read(): NewAgentEvent | undefined;
}

export type Step = (story: Story) => void | Promise<void>;
export type Tell = (title: string, steps: readonly Step[], config?: Partial<AgentConfig>) => void;

/** These stories are not about the rights of an agent. */
const ALL_RIGHTS = { additionalRules: [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }] };
/** Drift is looked for all the time, as churn shows only then. */
const CONFIG = { driftIntervalMs: 500, healthTimeoutMs: 60_000 };
const AT_ONCE = 16;
const FILE_MS = 300_000;

interface Registered {
  title: string;
  steps: readonly Step[];
  config: Partial<AgentConfig>;
  ending?: PromiseSettledResult<void>;
}

/** Of this test file. */
const stories: Registered[] = [];
let agents: AgentsOnKubernetes | undefined;
const namespaceOf = (n: number): string => `${agents?.namespace}-${n}`;

// All stories of a file are told before its first test, side by side: most of their time is spent waiting. Each test then answers for one.
// (Tests of Jest that run side by side can't load modules while one of them ends, and the agent does.)
beforeAll(async () => {
  if (!process.env[TEST_CLUSTER_VARIABLE]) return;
  const here = await agentsOnKubernetes(ALL_RIGHTS);
  agents = here;
  await inParallel(stories, AT_ONCE, async (story, n) => {
    const begun = beginStory(here, namespaceOf(n), { ...CONFIG, ...story.config });
    [story.ending] = await Promise.allSettled([tell(begun, story.steps)]);
  });
}, FILE_MS);

afterAll(async () => {
  if (!agents) return;
  await agents.stop();
  const names = stories.map((_, n) => namespaceOf(n));
  await agents.kubernetes.kubectl(['delete', 'namespace', ...names, '--wait=false', '--ignore-not-found']);
}, FILE_MS);

export function describeStories(subject: string, tellAll: (tell: Tell) => void): void {
  describeKubernetes(subject, () => {
    tellAll((title, steps, config = {}) => {
      const story: Registered = { title, steps, config };
      stories.push(story);
      test(title, () => {
        if (story.ending?.status !== 'fulfilled') throw story.ending?.reason;
      });
    });
  });
}

async function tell(story: Story, steps: readonly Step[]): Promise<void> {
  try {
    for (const step of steps) await step(story);
  } finally {
    await story.end();
  }
}

function beginStory(here: AgentsOnKubernetes, namespace: string, over: Partial<AgentConfig>): Story {
  const { kubernetes, cluster } = here;
  const plane = createModelControlPlane();
  const own = (text: string): string => text.replaceAll('NAMESPACE', namespace);
  const config: Partial<AgentConfig> = { watchNamespace: namespace, ...JSON.parse(own(JSON.stringify(over))) };
  const files = createMemoryFiles();
  const stacks = new Map<string, string>();
  const read = new Set<NewAgentEvent>();
  let agent: Promise<Agent> | undefined;

  const story: Story = {
    namespace,
    plane,
    own,
    cluster,
    stack: '',
    stackId(name) {
      const id = stacks.get(name) ?? plane.newStack();
      stacks.set(name, id);
      return id;
    },
    kubectl(args, stdin) {
      const place = args.includes('--namespace') ? [] : ['--namespace', namespace];
      return kubernetes.kubectl([...args.map(own), ...place], stdin === undefined ? undefined : own(stdin));
    },
    helm: (args, stdin) => kubernetes.helm([...args, '--namespace', namespace], stdin),
    agent() {
      agent ??= here.start(plane, config, files);
      return agent;
    },
    async restart() {
      await (await agent)?.stop();
      agent = undefined;
      await story.agent();
    },
    end: async () => (await agent)?.stop(),
    unread() {
      const stackId = story.stackId(story.stack);
      return plane.events.filter((event) => !read.has(event) && plane.bodies.get(event.deployment_object_id)?.stack_id === stackId);
    },
    read() {
      const [event] = story.unread();
      if (event) read.add(event);
      return event;
    },
  };
  return story;
}
