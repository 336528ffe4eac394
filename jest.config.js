/**
 * Two kinds of tests: everything that needs only Node (`host`), and what also needs a Kubernetes API server (`kubernetes`).
 * Both run in native ESM; `npm test` runs both, leaving the second out with one line where its binaries are not built.
 */
const shared = {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '\\.ts$': ['@swc/jest', { jsc: { parser: { syntax: 'typescript' }, target: 'es2024' }, module: { type: 'es6' } }] },
  modulePathIgnorePatterns: ['/.serverless/', '/.esbuild/'],
  setupFilesAfterEnv: [],
};

export default {
  ...shared,
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  testTimeout: 30_000,
};
