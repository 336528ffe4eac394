import { expect, test } from '@jest/globals';
import { MESSAGES } from '../../agent/operator-messages.ts';

/** All messages as an operator reads them: what is changed here is read here first. */
const LIST: Record<keyof typeof MESSAGES, { said: string; reads: string }> = {
  mayNotTakeOver: {
    said: MESSAGES.mayNotTakeOver(),
    reads: 'the stack may not take over objects that are there; nothing was changed',
  },
  refused: {
    said: MESSAGES.refused(),
    reads: 'the cluster refused the stack; nothing was changed',
  },
  refusedAfterPrerequisites: {
    said: MESSAGES.refusedAfterPrerequisites('1 Namespace'),
    reads: 'the cluster refused the stack; only its prerequisites were applied: 1 Namespace',
  },
  prerequisitesFailed: {
    said: MESSAGES.prerequisitesFailed(),
    reads: 'not all prerequisites could be applied; the objects that need them were left out, and nothing was pruned',
  },
  notAllApplied: {
    said: MESSAGES.notAllApplied(),
    reads: 'not all objects could be applied; nothing was pruned',
  },
  kindsMissing: {
    said: MESSAGES.kindsMissing(),
    reads: 'the cluster does not serve all kinds of the stack; the rest was applied, and nothing was pruned',
  },
  kindsGone: {
    said: MESSAGES.kindsGone(),
    reads: 'the cluster does not serve all kinds of the stack any more',
  },
  objectsLost: {
    said: MESSAGES.objectsLost(),
    reads: 'objects of the stack belong to somebody else now; they are left alone',
  },
  driftNotLookedFor: {
    said: MESSAGES.driftNotLookedFor(),
    reads: 'not all objects could be compared with the stack; their drift is not known',
  },
  driftNotCorrected: {
    said: MESSAGES.driftNotCorrected(),
    reads: 'not all drift could be corrected; it is tried again',
  },
  corrected: {
    said: MESSAGES.corrected(2, 'ConfigMap/shop/a (missing), ConfigMap/shop/b (data.colour had been changed)'),
    reads: 'corrected 2 objects: ConfigMap/shop/a (missing), ConfigMap/shop/b (data.colour had been changed)',
  },
  drifted: {
    said: MESSAGES.drifted(2, 'ConfigMap/shop/a (data.colour had been changed), Service/shop/web (missing)'),
    reads: '2 objects have drifted and stay as they are: ConfigMap/shop/a (data.colour had been changed), Service/shop/web (missing)',
  },
  unchanged: {
    said: MESSAGES.unchanged(),
    reads: 'unchanged',
  },
  nothingToDo: {
    said: MESSAGES.nothingToDo(),
    reads: 'nothing to do',
  },
  unhealthy: {
    said: MESSAGES.unhealthy(),
    reads: 'applied, but not healthy',
  },
  lateHealth: {
    said: MESSAGES.lateHealth(25),
    reads: 'applied, but not healthy within 25 s',
  },
  adopted: {
    said: MESSAGES.adopted('1 adopted', 'ConfigMap/shop/regions'),
    reads: '1 adopted; these were there before and stay when they leave the stack: ConfigMap/shop/regions',
  },
  nothingLeft: {
    said: MESSAGES.nothingLeft(),
    reads: 'nothing is left of the stack',
  },
  notAllGone: {
    said: MESSAGES.notAllGone(3),
    reads: 'not all objects are gone yet: 3 left',
  },
  inventoryMissing: {
    said: MESSAGES.inventoryMissing(),
    reads: "the stack's inventory is missing, so its objects are not known; deploy it once more, then remove it again",
  },
  unforeseen: {
    said: MESSAGES.unforeseen(),
    reads: 'the agent failed unexpectedly; see its log',
  },
  noObjects: {
    said: MESSAGES.noObjects(),
    reads: 'the deployment object has no objects; to remove everything, submit a deletion marker',
  },
  notDeleted: {
    said: MESSAGES.notDeleted(1, 4),
    reads: '1 of 4 objects could not be deleted; it is tried again',
  },
  notReleased: {
    said: MESSAGES.notReleased(1),
    reads: '1 object that had been adopted could not be released; it is tried again',
  },
  notKnownGone: {
    said: MESSAGES.notKnownGone(2),
    reads: '2 objects may still be there, since the cluster does not serve the kind; nothing is forgotten until it does, in any version',
  },
  inUse: {
    said: MESSAGES.inUse('Namespace/team (stack 7)'),
    reads: 'objects of other stacks would go with Namespace/team (stack 7); they are not deleted while those stacks stay',
  },
  massDeletion: {
    said: MESSAGES.massDeletion(20, 30, 'brokkr.io/confirm-deletion', '0123456789'),
    reads:
      "held: this would delete 20 of the 30 objects this agent owns. To confirm, set the agent's annotation brokkr.io/confirm-deletion to 0123456789",
  },
  strangersInside: {
    said: MESSAGES.strangersInside('Namespace/team', ['a', 'b', 'c', 'd', 'e', 'f', 'g'], 'brokkr.io/confirm-deletion', '0123456789'),
    reads:
      "Namespace/team is held: it contains what no stack of this agent created: a, b, c, d, e and 2 more. To delete it with them, set the agent's annotation brokkr.io/confirm-deletion to 0123456789",
  },
  unknownWorkType: {
    said: MESSAGES.unknownWorkType('paint'),
    reads: 'unknown work type "paint": this agent carries out custom and build',
  },
  emptyOrder: {
    said: MESSAGES.emptyOrder(),
    reads: 'the work order has no objects',
  },
  oneBuild: {
    said: MESSAGES.oneBuild(2),
    reads: 'a build order needs exactly one Build of shipwright.io, and has 2',
  },
  twiceInOrder: {
    said: MESSAGES.twiceInOrder(),
    reads: 'is in the work order twice; remove one of them',
  },
  belongsToStack: {
    said: MESSAGES.belongsToStack('7'),
    reads: 'belongs to stack 7; a work order may not change it',
  },
  markOfStacks: {
    said: MESSAGES.markOfStacks('k8s.brokkr.io/stack'),
    reads: 'k8s.brokkr.io/stack marks objects of stacks; take it out',
  },
  jobDeleted: {
    said: MESSAGES.jobDeleted(),
    reads: 'somebody deleted it before its end was seen',
  },
  jobOutOfTime: {
    said: MESSAGES.jobOutOfTime(),
    reads: "it did not end within the order's claim_timeout_seconds",
  },
  belongsTo: {
    said: MESSAGES.belongsTo('stack 7'),
    reads: 'belongs to stack 7; take it out of one of the two',
  },
  belongsToStackOfAgent: {
    said: MESSAGES.belongsToStackOfAgent('7', 'brokkr.io/takes-over', 'brokkr.io/keep'),
    reads:
      'belongs to stack 7; take it out of one of the two. To move it here without deleting it, set this stack\'s annotation brokkr.io/takes-over to 7, and take it out of the other stack once this one has it; brokkr.io/keep: "true" on the object keeps it too',
  },
  waitsForTaker: {
    said: MESSAGES.waitsForTaker(['7', '8']),
    reads: 'waits for stack 7, 8, which may take it over',
  },
  notRecreated: {
    said: MESSAGES.notRecreated(),
    reads: 'is not this stack\'s, so it is not deleted to be created again; set brokkr.io/adopt to "own", or choose another name',
  },
  keptNotRecreated: {
    said: MESSAGES.keptNotRecreated(),
    reads: 'is kept by its annotation brokkr.io/keep, so it is not deleted to be created again; take the annotation off first',
  },
  notGone: {
    said: MESSAGES.notGone(60),
    reads: 'was to be created again, and is not gone 60 s after it was deleted; it is tried again',
  },
  recreateHint: {
    said: MESSAGES.recreateHint(),
    reads: 'to have it deleted and created again, annotate it with brokkr.io/recreate: "immutable"',
  },
  neverAdopted: {
    said: MESSAGES.neverAdopted('brokkr.io/adopt'),
    reads: 'exists, no stack created it, and brokkr.io/adopt is neither "adopt" nor "own"; change the annotation or the name',
  },
  changesTooFast: {
    said: MESSAGES.changesTooFast(),
    reads: 'changes faster than it can be applied; it is tried again',
  },
  noSuchKind: {
    said: MESSAGES.noSuchKind('example.com/v1 Widget'),
    reads: 'the cluster has no kind example.com/v1 Widget; install its definition or correct apiVersion and kind',
  },
  kindNotThereYet: {
    said: MESSAGES.kindNotThereYet('example.com/v1 Widget'),
    reads: 'the cluster has no kind example.com/v1 Widget yet; install its definition, or correct apiVersion and kind',
  },
  reservedName: {
    said: MESSAGES.reservedName(),
    reads: "the name is reserved for the agent's own inventory; choose another one",
  },
  notIgnorable: {
    said: MESSAGES.notIgnorable('spec.replicas'),
    reads: 'brokkr.io/ignore-fields: "spec.replicas" can\'t be left to others; give JSON pointers of fields, such as /spec/replicas',
  },
  twice: {
    said: MESSAGES.twice(),
    reads: 'is in the stack twice; remove one of them',
  },
  notEstablished: {
    said: MESSAGES.notEstablished(30),
    reads: 'was not established within 30 s',
  },
  deleted: {
    said: MESSAGES.deleted(),
    reads: 'it had been deleted',
  },
  fieldChanged: {
    said: MESSAGES.fieldChanged('spec.replicas'),
    reads: 'spec.replicas had been changed',
  },
  fieldsAdded: {
    said: MESSAGES.fieldsAdded(['spec.paused', 'data.size'], 'kubectl-edit'),
    reads: 'spec.paused, data.size had been added by kubectl-edit',
  },
  fight: {
    said: MESSAGES.fight('spec.replicas had been changed by scaler'),
    reads:
      'spec.replicas had been changed by scaler, again and again; corrections slow down. Take it out of the stack, or name the field in brokkr.io/ignore-fields',
  },
  podWaits: {
    said: MESSAGES.podWaits('ErrImagePull', 'no such image', 'web-1, container main'),
    reads: 'ErrImagePull: no such image (pod web-1, container main)',
  },
  notReady: {
    said: MESSAGES.notReady('main', 'web-1'),
    reads: 'its readiness probe has not succeeded (pod web-1, container main)',
  },
  exited: {
    said: MESSAGES.exited(137, 'OOMKilled'),
    reads: 'its last run ended with exit code 137 (OOMKilled)',
  },
  containsStill: {
    said: MESSAGES.containsStill(['Discovery failed for some groups', 'some content remains']),
    reads: 'waits to be finished: Discovery failed for some groups; some content remains',
  },
  notFound: {
    said: MESSAGES.notFound(),
    reads: 'not found',
  },
  notLookedFor: {
    said: MESSAGES.notLookedFor('the server does not answer'),
    reads: 'objects that could not be looked for, since the server does not answer',
  },
  unlistable: {
    said: MESSAGES.unlistable(),
    reads: 'objects of its kind, which this agent may not list',
  },
  waitsForFinalizers: {
    said: MESSAGES.waitsForFinalizers(),
    reads: 'waits for its finalizers',
  },
  waitsForStacks: {
    said: MESSAGES.waitsForStacks(['7']),
    reads: 'waits for stack 7 to go',
  },
};

test.each(Object.entries(LIST).map(([name, row]) => ({ name, ...row })))('the message $name reads: $reads', ({ said, reads }) => {
  expect(said).toBe(reads);
});

test('the list has every message that the agent says', () => {
  expect(Object.keys(LIST)).toEqual(Object.keys(MESSAGES));
});
