/**
 * The numbers by which the core and the facade name to each other what a call is for. What each
 * means is said in `client-wasm/src/ops.rs`, whose test compares the two.
 */
export const enum SocketOp {
  Send = 0,
  List = 1,
  Status = 2,
  Cancel = 3,
  Close = 4,
  Join = 5,
  Report = 6,
}

export const enum SocketEvent {
  Connected = 0,
  Disconnected = 1,
  Failed = 2,
  Refused = 3,
  Connecting = 4,
  Message = 5,
  UserOnline = 6,
  UserOffline = 7,
  List = 8,
  VisitorToken = 9,
  Conversation = 10,
}

export const enum ApiOp {
  Users = 0,
  Messages = 1,
  Send = 2,
  Session = 3,
  Get = 4,
}

export const enum UsersOp {
  Shelf = 0,
  Refresh = 1,
  Close = 2,
  Poll = 3,
}

export const enum UsersStatus {
  Awaited = 1,
  Outdated = 2,
  Listed = 4,
  Connection = 8,
}
