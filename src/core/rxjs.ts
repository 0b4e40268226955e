/**
 * What this package uses of RxJS, each from its own file: the whole of it takes a tenth of a second
 * and 7 MB to load. They are the very functions that `rxjs` exports; a test compares them.
 */

/* eslint-disable @typescript-eslint/no-deprecated -- some overloads are, and calls are checked for them */
export { Observable } from 'rxjs/internal/Observable';
export { Subject } from 'rxjs/internal/Subject';
export { Subscription } from 'rxjs/internal/Subscription';
export { catchError } from 'rxjs/internal/operators/catchError';
export { defer } from 'rxjs/internal/observable/defer';
export { filter } from 'rxjs/internal/operators/filter';
export { from } from 'rxjs/internal/observable/from';
export { ignoreElements } from 'rxjs/internal/operators/ignoreElements';
export { lastValueFrom } from 'rxjs/internal/lastValueFrom';
export { mergeMap } from 'rxjs/internal/operators/mergeMap';
export { of } from 'rxjs/internal/observable/of';
export { takeUntil } from 'rxjs/internal/operators/takeUntil';
export { toArray } from 'rxjs/internal/operators/toArray';
export type { ObservableInput, OperatorFunction } from 'rxjs';
