import type { Host } from './start-host.ts';
import type { TryOutAgent } from './try-out-agent.ts';

export interface WelcomeFacts {
  dataDir: string | undefined;
  /** The admin's key comes from the configuration, so that none is minted here. */
  adminPakBroughtAlong: boolean;
  agent: Pick<TryOutAgent, 'id' | 'name' | 'cluster'> | undefined;
}

/** Shows the key that the first start has minted. */
export const firstKey = (adminPak: string): string[] => [
  '',
  'This is the first start. Your admin key, shown this once and stored nowhere: keep it.',
  '',
  `  ${adminPak}`,
  '',
];

/** What `npm start` says to the person in front of it. */
export function welcome(
  { url, adminPak, config, engines }: Pick<Host, 'url' | 'adminPak' | 'config' | 'engines'>,
  facts: WelcomeFacts,
): string {
  const { dataDir, adminPakBroughtAlong, agent } = facts;
  const store =
    engines.dynamoDbPid === undefined
      ? `in ${config.DYNAMODB_ENDPOINT ?? 'the DynamoDB that the AWS SDK is configured for'}`
      : dataDir
        ? `in ${dataDir}`
        : 'in memory: gone when this stops';
  const about = [
    `Brokkr listens on ${url}`,
    `The data is ${store}`,
    `API: ${url}/swagger-ui   health: ${url}/readyz   metrics: ${url}/metrics`,
  ];
  const first = adminPak
    ? [
        ...firstKey(adminPak),
        'What to do next: create a generator, the owner of stacks.',
        '',
        `  curl -s ${url}/api/v1/generators -H 'Authorization: Bearer ${adminPak}' \\`,
        `    -H 'Content-Type: application/json' -d '{"name":"ci"}'`,
      ]
    : adminPakBroughtAlong
      ? []
      : ['The admin key is the one shown on the first start; if it is lost: npm start -- --rotate-admin-pak'];
  const trying = agent
    ? [
        '',
        agent.cluster === 'memory'
          ? `The agent "${agent.name}" works on a cluster in memory: what it deploys exists in this process alone.`
          : `The agent "${agent.name}" works on the cluster of your kubeconfig: what you deploy to it is real.`,
        `Its id: ${agent.id}`,
      ]
    : [];
  return `${[...about, ...trying, ...first, '', 'Ctrl-C stops.'].join('\n')}\n`;
}
