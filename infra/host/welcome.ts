import type { Host } from './start-host.ts';

export interface WelcomeFacts {
  dataDir: string | undefined;
  /** The admin's key comes from the configuration, so that none is minted here. */
  adminPakBroughtAlong: boolean;
}

/** What `npm start` says to the person in front of it. */
export function welcome(
  { url, adminPak, config, engines }: Pick<Host, 'url' | 'adminPak' | 'config' | 'engines'>,
  facts: WelcomeFacts,
): string {
  const { dataDir, adminPakBroughtAlong } = facts;
  const store =
    engines.dynamoDbPid === undefined ? `in ${config.DYNAMODB_ENDPOINT}` : dataDir ? `in ${dataDir}` : 'in memory: gone when this stops';
  const about = [
    `Brokkr listens on ${url}`,
    `The data is ${store}`,
    `API: ${url}/swagger-ui   health: ${url}/readyz   metrics: ${url}/metrics`,
  ];
  const first = adminPak
    ? [
        '',
        'This is the first start. Your admin key, shown this once and stored nowhere: keep it.',
        '',
        `  ${adminPak}`,
        '',
        'What to do next: create a generator, the owner of stacks.',
        '',
        `  curl -s ${url}/api/v1/generators -H 'Authorization: Bearer ${adminPak}' \\`,
        `    -H 'Content-Type: application/json' -d '{"name":"ci"}'`,
      ]
    : adminPakBroughtAlong
      ? []
      : ['The admin key is the one shown on the first start; if it is lost: npm start -- --rotate-admin-pak'];
  return `${[...about, ...first, '', 'Ctrl-C stops.'].join('\n')}\n`;
}
