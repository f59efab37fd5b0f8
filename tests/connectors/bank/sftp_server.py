"""A real SSH server with SFTP (Twisted Conch), in a process of its own: python sftp_server.py FOLDER HOST_KEY USER_KEY.

It serves FOLDER as the root of whoever holds USER_KEY, and prints its port.
"""

import os
import sys

from twisted.conch import avatar
from twisted.conch.checkers import InMemorySSHKeyDB, SSHPublicKeyChecker
from twisted.conch.ssh import factory, filetransfer, keys, session
from twisted.conch.unix import SFTPServerForUnixConchUser
from twisted.cred.portal import Portal
from twisted.internet import reactor
from twisted.python import components


class User(avatar.ConchUser):
    def __init__(self, folder):
        super().__init__()
        self.folder = folder
        self.channelLookup[b"session"] = session.SSHSession
        self.subsystemLookup[b"sftp"] = filetransfer.FileTransferServer

    def _runAsUser(self, function, *args, **kwargs):  # noqa: N802 - Twisted's name
        """One person runs everything here: nobody becomes anybody."""
        calls = function if isinstance(function, list) else [(function, args, kwargs)]
        result = None
        for call in calls:
            what, given, named = (*call, {})[:3] if len(call) > 1 else (call[0], (), {})
            result = what(*given, **named)
        return result


class Files(SFTPServerForUnixConchUser):
    """The folder, under whatever name a client calls its root."""

    def __init__(self, user):
        self.avatar = user

    def _absPath(self, path):  # noqa: N802
        return os.fsencode(self.avatar.folder) + b"/" + path.lstrip(b"/")

    def realPath(self, path):  # noqa: N802
        return b"/" + path.lstrip(b"./")


class Realm:
    def __init__(self, folder):
        self.folder = folder

    def requestAvatar(self, _name, _mind, *interfaces):  # noqa: N802
        return interfaces[0], User(self.folder), lambda: None


def main(folder, host_key, user_key):
    components.registerAdapter(Files, User, filetransfer.ISFTPServer)
    key = keys.Key.fromFile(host_key)
    serving = factory.SSHFactory()
    serving.publicKeys = {key.sshType(): key.public()}
    serving.privateKeys = {key.sshType(): key}
    serving.getPublicKeys = lambda: {key.sshType(): key.public()}
    serving.getPrivateKeys = lambda: {key.sshType(): key}
    known = InMemorySSHKeyDB({b"bank": [keys.Key.fromFile(user_key).public()]})
    serving.portal = Portal(Realm(folder), [SSHPublicKeyChecker(known)])
    port = reactor.listenTCP(0, serving, interface="127.0.0.1")
    print(port.getHost().port, flush=True)
    reactor.run()


if __name__ == "__main__":
    main(*sys.argv[1:])
