import { describeChanges } from './state/changes.js';

describeChanges('2.22.5');
