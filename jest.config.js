/**
 * Two kinds of tests: what needs only Node (`host`), and what also needs a Kubernetes API server (`kubernetes`, in files called
 * `*.kubernetes.test.ts`). `npm test` runs both; where the server's binaries are not built it leaves the second out with one line.
 */
const shared = {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '\\.ts$': [
      '@swc/jest',
      {
        jsc: { parser: { syntax: 'typescript' }, target: 'es2024', experimental: { keepImportAttributes: true } },
        module: { type: 'es6' },
      },
    ],
  },
  modulePathIgnorePatterns: ['/.serverless/', '/.esbuild/', '/.esbuild-offline/'],
};

export default {
  testTimeout: 30_000,
  // A process keeps some memory of each test file that it has run. Without a limit the last files run slowly for want of memory, or fail.
  workerIdleMemoryLimit: '1GB',
  projects: [
    { ...shared, displayName: 'host', testMatch: ['<rootDir>/test/**/*.test.ts'], testPathIgnorePatterns: ['\\.kubernetes\\.test\\.ts$'] },
    {
      ...shared,
      displayName: 'kubernetes',
      testMatch: ['<rootDir>/test/**/*.kubernetes.test.ts'],
      globalSetup: '<rootDir>/test/kubernetes/global-setup.ts',
      globalTeardown: '<rootDir>/test/kubernetes/global-teardown.ts',
    },
  ],
};
