/** This thread reads large texts for yaml-thread.ts, which starts it. A bundle that uses it needs this file as a second entry. */
import { parentPort } from 'node:worker_threads';
import { readYamlDocuments } from './yaml-documents.ts';
import { YamlError } from './yaml-rules.ts';
import type { YamlAnswer, YamlQuestion } from './yaml-thread.ts';

parentPort?.on('message', (question: YamlQuestion) => parentPort?.postMessage(answer(question)));

function answer({ text, wantsValues }: YamlQuestion): YamlAnswer {
  const documents: { json: string; document: number; line: number }[] = [];
  let count = 0;
  try {
    for (const { value, document, line } of readYamlDocuments(text)) {
      count += 1;
      // Messages between threads copy values, and would lose integers that no JavaScript number holds.
      if (wantsValues) documents.push({ json: JSON.stringify(value), document, line });
    }
    return { count, documents };
  } catch (error) {
    if (!(error instanceof YamlError)) throw error;
    const { code, reason, document, line } = error;
    return { refused: { code, reason, document, line } };
  }
}
