import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { engineCache } from './engine-process.ts';

const run = promisify(execFile);

/** The SDK's list of versions is imported because four of the artifacts name no version themselves. */
const POM = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>brokkr</groupId>
  <artifactId>dynamodb-local</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencyManagement>
    <dependencies>
      <dependency>
        <groupId>software.amazon.awssdk</groupId>
        <artifactId>bom</artifactId>
        <version>2.54.15</version>
        <type>pom</type>
        <scope>import</scope>
      </dependency>
    </dependencies>
  </dependencyManagement>
  <dependencies>
    <dependency>
      <groupId>software.amazon.dynamodb</groupId>
      <artifactId>DynamoDBLocal</artifactId>
      <version>3.3.1</version>
    </dependency>
  </dependencies>
</project>
`;

/** Says in one line what this machine lacks to fetch and run DynamoDB Local; undefined if it lacks nothing. */
export async function missingForDynamoDbLocal(): Promise<string | undefined> {
  const version = await run('java', ['-version']).then(
    ({ stderr }) => Number(/version "(\d+)/.exec(stderr)?.[1] ?? 0),
    () => 0,
  );
  if (version < 17) return 'DynamoDB Local needs Java 17 or later, which is not on the PATH';
  if (existsSync(folderOf())) return undefined;
  return run('mvn', ['-version']).then(
    () => undefined,
    () => 'DynamoDB Local is fetched with Maven, which is not on the PATH',
  );
}

const folderOf = () => join(engineCache('dynamodb-local'), createHash('sha256').update(POM).digest('hex').slice(0, 16));

/** Returns the folder with all archives and native libraries. They are fetched once. */
export async function fetchDynamoDbLocal(report: (line: string) => void): Promise<string> {
  const folder = folderOf();
  if (existsSync(folder)) return folder;
  report('fetching DynamoDB Local (about 50 MB, once)');
  await mkdir(engineCache('dynamodb-local'), { recursive: true });
  const work = await mkdtemp(`${folder}-`);
  try {
    await writeFile(join(work, 'pom.xml'), POM);
    await run('mvn', ['--quiet', '--batch-mode', 'dependency:copy-dependencies', `-DoutputDirectory=${join(work, 'lib')}`], { cwd: work });
    // The rename makes the folder complete at once. If another run was faster, its folder is used.
    await rename(join(work, 'lib'), folder).catch((error: unknown) => {
      if (!existsSync(folder)) throw error;
    });
    return folder;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
