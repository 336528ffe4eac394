import type { Host } from './start-host.ts';
import type { TryOutAgent } from './try-out-agent.ts';

export interface WelcomeFacts {
  dataDir: string | undefined;
  /** Where the admin's key is known from, the public one apart. */
  adminKey: 'configured' | 'stored' | 'missing';
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
  const { dataDir, adminKey, agent } = facts;
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
    : {
        configured: [],
        stored: ['The admin key was shown when it was made; if it is lost: npm start -- --rotate-admin-pak'],
        missing: ['There is no admin key, stored or configured. To make one, stop this and run: npm start -- --rotate-admin-pak'],
      }[adminKey];
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
