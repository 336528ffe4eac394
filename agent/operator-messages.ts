/**
 * All that the agent itself says to operators in an event. Each names its object first, then the reason, then what to do. A line about
 * one object begins with the object's name, so those below that are about one object leave it out. None may contain a value.
 */
export const MESSAGES = {
  // About a whole stack.
  mayNotTakeOver: () => 'the stack may not take over objects that are there; nothing was changed',
  refused: () => 'the cluster refused the stack; nothing was changed',
  refusedAfterPrerequisites: (prerequisites: string) =>
    `the cluster refused the stack; only its prerequisites were applied: ${prerequisites}`,
  prerequisitesFailed: () => 'not all prerequisites could be applied; the objects that need them were left out, and nothing was pruned',
  notAllApplied: () => 'not all objects could be applied; nothing was pruned',
  kindsMissing: () => 'the cluster does not serve all kinds of the stack; the rest was applied, and nothing was pruned',
  kindsGone: () => 'the cluster does not serve all kinds of the stack any more',
  objectsLost: () => 'objects of the stack belong to somebody else now; they are left alone',
  driftNotLookedFor: () => 'not all objects could be compared with the stack; their drift is not known',
  driftNotCorrected: () => 'not all drift could be corrected; it is tried again',
  corrected: (count: number, names: string) => `corrected ${objects(count)}: ${names}`,
  drifted: (count: number, names: string) =>
    `${objects(count)} ${count === 1 ? 'has' : 'have'} drifted and ${count === 1 ? 'stays as it is' : 'stay as they are'}: ${names}`,
  unchanged: () => 'unchanged',
  nothingToDo: () => 'nothing to do',
  unhealthy: () => 'applied, but not healthy',
  lateHealth: (seconds: number) => `applied, but not healthy within ${seconds} s`,
  adopted: (counts: string, names: string) => `${counts}; these were there before and stay when they leave the stack: ${names}`,
  nothingLeft: () => 'nothing is left of the stack',
  notAllGone: (count: number) => `not all objects are gone yet: ${count} left`,
  inventoryMissing: () => "the stack's inventory is missing, so its objects are not known; deploy it once more, then remove it again",
  unforeseen: () => 'the agent failed unexpectedly; see its log',
  noObjects: () => 'the deployment object has no objects; to remove everything, submit a deletion marker',
  notDeleted: (failures: number, total: number) => `${failures} of ${objects(total)} could not be deleted; it is tried again`,
  notReleased: (count: number) => `${objects(count)} that had been adopted could not be released; it is tried again`,
  notKnownGone: (count: number) =>
    `${objects(count)} may still be there, since the cluster does not serve the kind; nothing is forgotten until it does, in any version`,
  inUse: (containers: string) => `objects of other stacks would go with ${containers}; they are not deleted while those stacks stay`,
  massDeletion: (total: number, all: number, annotation: string, fingerprint: string) =>
    `held: this would delete ${total} of the ${all} objects this agent owns. To confirm, set the agent's annotation ${annotation} to ${fingerprint}`,
  strangersInside: (container: string, strangers: readonly string[], annotation: string, fingerprint: string) =>
    `${container} is held: it contains what no stack of this agent created: ${few(strangers)}.${strangers.some(isClaim) ? OF_STATEFUL_SETS : ''} To delete it with them, set the agent's annotation ${annotation} to ${fingerprint}`,

  // About a work order.
  unknownWorkType: (type: string) => `unknown work type ${JSON.stringify(type.slice(0, 50))}: this agent carries out custom and build`,
  emptyOrder: () => 'the work order has no objects',
  oneBuild: (count: number) => `a build order needs exactly one Build of shipwright.io, and has ${count}`,
  twiceInOrder: () => 'is in the work order twice; remove one of them',
  belongsToStack: (stack: string) => `belongs to stack ${stack}; a work order may not change it`,
  markOfStacks: (mark: string) => `${mark} marks objects of stacks; take it out`,
  jobDeleted: () => 'somebody deleted it before its end was seen',
  jobOutOfTime: () => "it did not end within the order's claim_timeout_seconds",

  // About one object, after its name.
  belongsTo: (owner: string) => `belongs to ${owner}; take it out of one of the two`,
  belongsToStackOfAgent: (stackId: string, takesOver: string, keep: string) =>
    `belongs to stack ${stackId}; take it out of one of the two. To move it here without deleting it, set this stack's annotation ${takesOver} to ${stackId}, and take it out of the other stack once this one has it; ${keep}: "true" on the object keeps it too`,
  waitsForTaker: (stacks: readonly string[]) => `waits for stack ${stacks.join(', ')}, which may take it over`,
  notRecreated: () =>
    'is not this stack\'s, so it is not deleted to be created again; set brokkr.io/adopt to "own", or choose another name',
  keptNotRecreated: () =>
    'is kept by its annotation brokkr.io/keep, so it is not deleted to be created again; take the annotation off first',
  notGone: (seconds: number) => `was to be created again, and is not gone ${seconds} s after it was deleted; it is tried again`,
  recreateHint: () => 'to have it deleted and created again, annotate it with brokkr.io/recreate: "immutable"',
  neverAdopted: (annotation: string) =>
    `exists, no stack created it, and ${annotation} is neither "adopt" nor "own"; change the annotation or the name`,
  changesTooFast: () => 'changes faster than it can be applied; it is tried again',
  noSuchKind: (kind: string) => `the cluster has no kind ${kind}; install its definition or correct apiVersion and kind`,
  kindNotThereYet: (kind: string) => `the cluster has no kind ${kind} yet; install its definition, or correct apiVersion and kind`,
  reservedName: () => "the name is reserved for the agent's own inventory; choose another one",
  notIgnorable: (pointer: string) =>
    `brokkr.io/ignore-fields: "${pointer}" can't be left to others; give JSON pointers of fields, such as /spec/replicas`,
  twice: () => 'is in the stack twice; remove one of them',
  notEstablished: (seconds: number) => `was not established within ${seconds} s`,
  deleted: () => 'it had been deleted',
  fieldChanged: (path: string, manager?: string) => `${path} had been changed${manager === undefined ? '' : ` by ${manager}`}`,
  fieldsAdded: (paths: readonly string[], manager: string) => `${few(paths)} had been added by ${manager}`,
  fight: (drift: string) =>
    `${drift}, again and again; corrections slow down. Take it out of the stack, or name the field in brokkr.io/ignore-fields`,
  podWaits: (reason: string, message: string, where: string) =>
    `${[reason, message].filter((words) => words !== '').join(': ')} (pod ${where})`,
  notReady: (container: string, pod: string) => `its readiness probe has not succeeded (pod ${pod}, container ${container})`,
  exited: (code: number, reason: string) =>
    `its last run ended with exit code ${code}${reason === '' || reason === 'Error' ? '' : ` (${reason})`}`,
  containsStill: (reasons: readonly string[]) => `waits to be finished: ${reasons.join('; ')}`,
  notFound: () => 'not found',
  notLookedFor: (reason: string) => `objects that could not be looked for, since ${reason}`,
  unlistable: () => 'objects of its kind, which this agent may not list',
  waitsForFinalizers: (finalizers: readonly string[] = []) =>
    `waits for its finalizers${finalizers.length > 0 ? `: ${few(finalizers)}` : ''}`,
  waitsForStacks: (stacks: readonly string[]) => `waits for stack ${stacks.join(', ')} to go`,
};

/** Kubernetes keeps them when their StatefulSet goes, unless it says otherwise; then it is their owner. */
const OF_STATEFUL_SETS =
  ' Claims of a StatefulSet whose persistentVolumeClaimRetentionPolicy.whenDeleted is Delete go without a confirmation.';
const isClaim = (name: string): boolean => name.startsWith('PersistentVolumeClaim/');

const NAMED_MAX = 5;

const objects = (count: number): string => `${count} object${count === 1 ? '' : 's'}`;
const few = (names: readonly string[]): string =>
  `${names.slice(0, NAMED_MAX).join(', ')}${names.length > NAMED_MAX ? ` and ${names.length - NAMED_MAX} more` : ''}`;
