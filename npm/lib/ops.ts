/**
 * The numbers by which the core and the facade name to each other what a call is for. What each
 * means is said in `client-wasm/src/ops.rs`, whose test compares the two.
 */
export const enum SocketOp {
  Send = 0,
  List = 1,
  Live = 2,
  Close = 3,
  Join = 4,
}

export const enum SocketEvent {
  Connected = 0,
  Disconnected = 1,
  Failed = 2,
  Refused = 3,
  Message = 4,
  UserOnline = 5,
  UserOffline = 6,
  List = 7,
  VisitorToken = 8,
}

export const enum ApiOp {
  Users = 0,
  Messages = 1,
  Send = 2,
  Session = 3,
}

export const enum UsersOp {
  Shelf = 0,
  Refresh = 1,
  Close = 2,
}

export const enum UsersStatus {
  Loading = 1,
  Connected = 2,
}
