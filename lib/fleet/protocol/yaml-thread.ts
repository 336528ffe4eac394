import { existsSync } from 'node:fs';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { YamlError, type YamlErrorCode } from './yaml-rules.ts';

export interface YamlQuestion {
  text: string;
  wantsValues: boolean;
}

export type YamlAnswer =
  | { count: number; documents: { json: string; document: number; line: number }[] }
  | { refused: { code: YamlErrorCode; reason: string; document: number; line: number } };

interface Job {
  question: YamlQuestion;
  resolve(answer: YamlAnswer): void;
  reject(error: unknown): void;
}

/** The text is not at fault: the same text may be read a little later. */
export class YamlReaderBusy extends Error {
  override name = 'YamlReaderBusy';
}

/** The worker's file stands beside this file, as source or bundled under the same name. */
const WORKER_FILE = new URL(`./yaml-worker${extname(fileURLToPath(import.meta.url))}`, import.meta.url);

/** At most this many characters wait: eight of the largest texts, each of which takes 1.3 s at most. */
const WAITING_CHARACTERS = 32 * 1024 * 1024;
/** A text within its limits takes at most 1.3 s of CPU. If it takes longer than this, the machine is too busy. */
const TIMEOUT_MS = 15_000;
/** An idle thread holds 20 MB, so it is stopped after this time. */
const IDLE_MS = 30_000;
/** The heap's limit is more than any text within its limits needs. */
const RESOURCE_LIMITS = { maxOldGenerationSizeMb: 192, maxYoungGenerationSizeMb: 8, stackSizeMb: 4 };

/** False if the bundle has no worker's file, as on Lambda: an instance serves one request at a time there, so nobody waits for it. */
export const hasYamlThread: boolean = existsSync(WORKER_FILE);

const waiting: Job[] = [];
let running: Job | undefined;
let thread: Worker | undefined;
let timer: NodeJS.Timeout | undefined;

/**
 * Reads a text in the one thread of this process, which is started when it is needed. The shortest text goes first.
 * Rejects with a YamlReaderBusy if too many texts wait or the machine is too busy.
 */
export function askYamlThread(question: YamlQuestion): Promise<YamlAnswer> {
  const characters = waiting.reduce((sum, job) => sum + job.question.text.length, question.text.length);
  if (characters > WAITING_CHARACTERS) return Promise.reject(busy('too many large texts are being read at once'));
  return new Promise((resolve, reject) => {
    const job = { question, resolve, reject };
    const place = waiting.findIndex((other) => other.question.text.length > question.text.length);
    waiting.splice(place === -1 ? waiting.length : place, 0, job);
    startNext();
  });
}

function startNext(): void {
  if (running) return;
  clearTimeout(timer);
  running = waiting.shift();
  if (running) thread ??= startThread();
  const worker = thread;
  if (!worker) return;
  if (!running) {
    worker.unref();
    timer = setTimeout(() => stopThread(worker), IDLE_MS).unref();
    return;
  }
  worker.ref();
  timer = setTimeout(() => finish(worker, busy('the machine had no time to read the text')), TIMEOUT_MS);
  worker.postMessage(running.question);
}

function startThread(): Worker {
  const worker = new Worker(WORKER_FILE, { name: 'yaml', env: {}, execArgv: [], resourceLimits: RESOURCE_LIMITS });
  worker.on('message', (answer: YamlAnswer) => {
    const job = running;
    running = undefined;
    job?.resolve(answer);
    startNext();
  });
  worker.on('error', (error: NodeJS.ErrnoException) => {
    const outOfMemory = error.code === 'ERR_WORKER_OUT_OF_MEMORY';
    finish(worker, outOfMemory ? new YamlError('too_complex', 'needs too much memory: make several stacks of it') : error);
  });
  return worker;
}

/** If the thread dies, the text that it was reading fails, and the next text gets a new thread. */
function finish(worker: Worker, error: unknown): void {
  if (thread !== worker) return;
  const job = running;
  running = undefined;
  stopThread(worker);
  job?.reject(error);
  startNext();
}

function stopThread(worker: Worker): void {
  thread = undefined;
  clearTimeout(timer);
  void worker.terminate();
}

const busy = (reason: string): YamlReaderBusy => new YamlReaderBusy(`${reason}: try again`);
