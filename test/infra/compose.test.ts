import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import * as z from 'zod';
import { loadAgentConfig } from '../../agent/config.ts';
import { loadHostConfig } from '../../infra/host/host-config.ts';

const Service = z.looseObject({
  image: z.string(),
  build: z.object({ context: z.literal('.'), dockerfile: z.string() }).optional(),
  environment: z.record(z.string(), z.string()).default({}),
  volumes: z.array(z.string()).default([]),
  depends_on: z.record(z.string(), z.object({ condition: z.literal('service_healthy') })).default({}),
  healthcheck: z.object({ test: z.array(z.string()) }).loose(),
});
const Compose = z.object({ name: z.string(), services: z.record(z.string(), Service), volumes: z.record(z.string(), z.null()) });

const fileAt = (path: string) => new URL(`../../${path}`, import.meta.url);
const { services, volumes } = Compose.parse(parse(readFileSync(fileAt('compose.yaml'), 'utf8')));
const environmentOf = (name: string) =>
  Object.fromEntries(
    Object.entries(services[name]?.environment ?? {}).map(([key, value]) => [key, value.replace(/\${\w+:-(.*?)}/g, '$1')]),
  );

describe('compose.yaml', () => {
  test('each service of compose.yaml has an image with a full version and a health check', () => {
    for (const { image, healthcheck } of Object.values(services)) {
      expect(image).toMatch(/:\d+\.\d+\.\d+$/);
      expect(healthcheck.test[0]).toMatch(/^CMD/);
    }
  });

  test('compose.yaml defines the services and volumes that its services refer to', () => {
    for (const { depends_on, volumes: mounted } of Object.values(services)) {
      for (const other of Object.keys(depends_on)) expect(Object.keys(services)).toContain(other);
      for (const mount of mounted) expect(Object.keys(volumes)).toContain(mount.split(':')[0]);
    }
  });

  test('server and agent accept and know every variable of compose.yaml', () => {
    const server = loadHostConfig([], environmentOf('server'));
    expect(server.config).toMatchObject({ DYNAMODB_ENDPOINT: 'http://dynamodb:8000', SQS_ENDPOINT: 'http://localstack:4566' });
    const known = [...Object.keys(server.config), 'BROKKR_ADMIN_PAK_HASH'];
    expect(Object.keys(environmentOf('server')).filter((name) => !known.includes(name))).toEqual([]);
    const environment = { ...environmentOf('agent'), BROKKR__AGENT__PAK: 'brokkr_BRabcdef_1111111111111111111111111111111111' };
    expect(loadAgentConfig({ environment, readFile: () => '' })).toMatchObject({ brokerUrl: 'http://server:3000', cluster: 'memory' });
  });

  test.each(Object.values(services).flatMap(({ build }) => (build ? [build.dockerfile] : [])))(
    '%s copies only files that exist and that its .dockerignore allows, and does not run as root',
    (dockerfile) => {
      const text = readFileSync(fileAt(dockerfile), 'utf8');
      const allowed = readFileSync(fileAt(`${dockerfile}.dockerignore`), 'utf8')
        .split('\n')
        .filter((line) => line.startsWith('!'));
      const copied = [...text.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, sources = '']) => sources.split(' '));
      for (const source of copied.filter((path) => path !== '.')) {
        expect({ source, there: existsSync(fileAt(source)) }).toEqual({ source, there: true });
        expect(allowed.some((line) => line.slice(1).startsWith(source) || source.startsWith(line.slice(1)))).toBe(true);
      }
      expect(text).toMatch(/^USER 10001:10001$/m);
      expect(text).toMatch(/^FROM node:24-slim$/m);
    },
  );
});
