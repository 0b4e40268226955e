import { describeChanges } from './state/changes.js';

describeChanges('3.17.2');
